"""The HTTP interface: routes, access, bodies, answers, and the files of the page."""
