def pytest_collection_modifyitems(items):  # type: ignore[no-untyped-def]
    """Leave three tests that measure arrival times to quiet machines: PIXTRAWL_QUIET=1."""
    import os

    import pytest

    timed = (
        "test_redirect_targets_count_at_their_host",
        "test_no_request_reaches_a_host_in_its_told_pause",
        "test_a_crawl_delay_is_kept_and_one_beyond_the_bound_is_told",
    )
    for item in items:
        if item.name.startswith(timed) and not os.environ.get("PIXTRAWL_QUIET"):
            item.add_marker(pytest.mark.skip(reason="measures arrival times: PIXTRAWL_QUIET=1"))
