"""An S3-compatible store, PyPI's `moto`, with a folder's files in the bucket `photos`: `bucket.py FOLDER PORT_FILE`.

It writes its port to the file once all files are there, and serves until it is ended.
"""

import logging
import os
import pathlib
import signal
import sys

import boto3
from moto.server import ThreadedMotoServer


def main() -> None:
    folder, port_file = map(pathlib.Path, sys.argv[1:])
    logging.disable(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys)
    s3.create_bucket(Bucket="photos")
    for path in folder.rglob("*"):
        if path.is_file():
            s3.put_object(Bucket="photos", Key=str(path.relative_to(folder)), Body=path.read_bytes())
    unfinished = port_file.with_suffix(".new")
    unfinished.write_text(str(port))
    os.replace(unfinished, port_file)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
