"""Search sites of the playground: result pages and JSON APIs, their listings, filters and gates."""
