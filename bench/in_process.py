"""CPU time of one request in a process of its own, without a server: a job as one JSON line on stdin, µs on stdout.

Run with the folder of a revision as the working directory and in PYTHONPATH, and `-P`, so that the revision's modules
are imported and this folder's are not.
"""

import io
import json
import sys
import time


def main() -> None:
    """Each line: `path`, `key`, `body`, `times`. Answers with the CPU µs a call of this process."""
    # Here, so that the rest of the file can be read without the product.
    from brokkr_site.wsgi import application

    for line in sys.stdin:
        job = json.loads(line)
        body = job["body"].encode()
        began = 0
        # The first ones import and connect.
        for number in range(-5, job["times"]):
            if number == 0:
                began = time.process_time_ns()
            environ = {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": job["path"],
                "QUERY_STRING": "",
                "SERVER_NAME": "bench",
                "SERVER_PORT": "80",
                "REMOTE_ADDR": "127.0.0.1",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "HTTP_AUTHORIZATION": f"Bearer {job['key']}",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": io.BytesIO(body),
                "wsgi.errors": sys.stderr,
                "wsgi.url_scheme": "http",
            }
            statuses: list[str] = []
            answer = application(environ, lambda status, _headers, into=statuses: into.append(status))
            list(answer)
            if hasattr(answer, "close"):
                answer.close()
            if not statuses[0].startswith("2"):
                raise RuntimeError(f"{job['path']}: {statuses[0]}")
        print((time.process_time_ns() - began) / job["times"] / 1000, flush=True)


if __name__ == "__main__":
    main()
