"""Images as a person looks at them: filtered, ordered, counted, grouped, one by one."""
