"""Scrapy's FilesPipeline or ImagesPipeline, 256 at once.   scrapy_urls.py files|images LIST OUT"""

import sys
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess

kind, urls, out = sys.argv[1], Path(sys.argv[2]).read_text().split(), sys.argv[3]


class Spider(scrapy.Spider):
    name = "urls"

    async def start(self):
        for url in urls:
            yield {f"{'file' if kind == 'files' else 'image'}_urls": [url]}


pipeline = "files.FilesPipeline" if kind == "files" else "images.ImagesPipeline"
process = CrawlerProcess({
    "ITEM_PIPELINES": {f"scrapy.pipelines.{pipeline}": 1},
    "FILES_STORE": out, "IMAGES_STORE": out,
    "CONCURRENT_REQUESTS": 256, "CONCURRENT_REQUESTS_PER_DOMAIN": 256, "CONCURRENT_ITEMS": 256,
    "DOWNLOAD_TIMEOUT": 10, "DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": False, "LOG_LEVEL": "ERROR",
    "MEDIA_ALLOW_REDIRECTS": True, "TELNETCONSOLE_ENABLED": False,
})  # fmt: skip
process.crawl(Spider)
process.start()
