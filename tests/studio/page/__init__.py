"""The studio's page in a real browser.

One walk through each view is in every run of the suite, the others are slow: each loads the page.
"""
