"""The usual script: requests in a pool of threads.

Ten threads over keywords of ten URLs each; a session a keyword, three seconds, no check of what
comes back.   requests_threads.py LIST OUT
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests


def keyword(number: int, urls: list[str], out: Path) -> None:
    folder = out / f"keyword{number}"
    folder.mkdir(parents=True)
    with requests.Session() as session:
        for index, url in enumerate(urls):
            try:
                answer = session.get(url, stream=True, timeout=3)
                with (folder / f"{index}.jpg").open("wb") as file:
                    for chunk in answer.iter_content(128):
                        file.write(chunk)
            except Exception as error:  # noqa: BLE001 - as there: whatever it is, printed
                print(url, error)


urls = Path(sys.argv[1]).read_text().split()
with ThreadPoolExecutor(10) as pool:
    for number in range(0, len(urls), 10):
        pool.submit(keyword, number, urls[number : number + 10], Path(sys.argv[2]))
