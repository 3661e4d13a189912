"""Bad behaviour of servers, pages and links: named classes, each with its expected Reason."""
