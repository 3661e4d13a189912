"""Pages of Google without pictures: a captcha, a wall, no results, results of the web."""

from __future__ import annotations

from typing import Final

_LOCAL: Final = (
    "Your search - <em>qzx wvk</em> - did not match any documents. Try different keywords."
)
# A page of the real size: what is looked for stands behind the script that fills most of it.
_FILLER: Final = "<script>" + "var a=['x','y'];" * 1500 + "</script>"

GRIDLESS: Final = {
    "captcha": (
        "<!doctype html><title>http://h/search?q=x</title><div>"
        "<form id='captcha-form' action='index' method='post'>"
        "<div class='g-recaptcha' data-sitekey='k'></div></form>"
        "<hr>About this page<br>Our systems have detected unusual traffic from your network.</div>"
    ),
    "no_results": (
        f"<!doctype html><title>qzx wvk - Search</title>{_FILLER}<form action='/search'>"
        f"<input name='q' value='qzx wvk'></form><main><p>{_LOCAL}</p></main>"
    ),
    "soft_block": (
        "<!doctype html><html><head><noscript><meta http-equiv='refresh' "
        "content='0;url=/httpservice/retry/enablejs?sei=x'></noscript></head><body><noscript>"
        "<iframe src='/x'></iframe></noscript></body></html>"
    ),
    "web_results": (
        f"<!doctype html><title>tabby cat - Search</title>{_FILLER}<main>"
        + "".join(
            f"<div><a href='https://page.example/{at}'><h3>Cat {at}</h3></a><span>A text</span></div>"
            for at in range(10)
        )
        + "</main>"
    ),
}
