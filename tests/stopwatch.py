"""Writes down what each request took on the server, from the first middleware to the last byte."""

import json
import os
import time


class Stopwatch:
    def __init__(self, get_response):
        self.get_response = get_response
        self.file = open(os.environ["TIMINGS"], "a", buffering=1)  # noqa: SIM115

    def __call__(self, request):
        started = time.perf_counter()
        response = self.get_response(request)
        name = request.resolver_match.url_name if request.resolver_match else ""
        if response.streaming:
            response.streaming_content = self.timed(response.streaming_content, name, started)
        else:
            self.note(name, started)
        return response

    def timed(self, chunks, name: str, started: float):
        yield from chunks
        self.note(name, started)

    def note(self, name: str, started: float) -> None:
        # One write a line: threads and processes share the file.
        self.file.write(json.dumps([name, time.perf_counter() - started]) + "\n")
