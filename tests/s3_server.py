"""An S3 server on this machine (moto's), with one bucket."""

from collections.abc import Iterator
from contextlib import contextmanager

import botocore.session
from moto.server import ThreadedMotoServer

BUCKET = "talks"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """Run a server with `BUCKET`; yield the variables with which processes find it."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        variables = {
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        client = botocore.session.get_session().create_client(
            "s3",
            endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_DEFAULT_REGION"],
        )
        client.create_bucket(Bucket=BUCKET)
        yield variables
    finally:
        running.stop()
