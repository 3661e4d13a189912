"""Workers of a job: leased by the store or placed by Ray, and the files they write."""
