"""icrawler's own downloader over a list of URLs: 50 threads.   icrawler_urls.py LIST OUT"""

import sys

from icrawler.builtin import UrlListCrawler

UrlListCrawler(
    downloader_threads=50, storage={"backend": "FileSystem", "root_dir": sys.argv[2]}, log_level=40
).crawl(sys.argv[1], max_num=10**9)  # it would stop at 1,000
