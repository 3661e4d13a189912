"""Programs that run inside the peers' environment; none of them imports pixtrawl."""
