"""The contained processes that decode: started, limited, watched, replaced."""
