"""R2's S3 endpoint, by boto3: objects that Workers and REST see, multipart, presigned addresses, signatures that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from inferstack import local
from tests.conftest import Api

BUCKET = "by-s3"
CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def client(cloudflare: Api, **other: str) -> Any:
    token = local.token_of(cloudflare.folder)
    found = local.s3_environment(cloudflare.running.api_port, local.ACCOUNT_ID, token)
    given = {"aws_access_key_id": found["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": found["AWS_SECRET_ACCESS_KEY"]}
    return boto3.client(
        "s3", endpoint_url=found["AWS_ENDPOINT_URL_S3"], region_name="auto", config=CONFIG, **{**given, **other}
    )


@pytest.fixture(scope="module")
def s3(cloudflare: Api) -> Iterator[Any]:
    assert cloudflare.client.post("/r2/buckets", json={"name": BUCKET}).is_success
    made = client(cloudflare)
    yield made
    made.close()


def rest(cloudflare: Api, key: str) -> httpx.Response:
    return cloudflare.client.get(f"/r2/buckets/{BUCKET}/objects/{quote(key, safe='')}")


@pytest.mark.parametrize("key", ["plain.txt", "a/b c/ü ö.txt", "100%/+&=?.txt", "日本/😀"])
def test_what_is_put_is_there_for_all(cloudflare: Api, s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"some bytes", ContentType="text/plain", Metadata={"mine": "1"})
    got = s3.get_object(Bucket=BUCKET, Key=key)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"some bytes", "text/plain", {"mine": "1"})
    assert rest(cloudflare, key).content == b"some bytes"
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == 10
    assert s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=5-")["Body"].read() == b"bytes"
    assert key in [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert rest(cloudflare, key).status_code == 404


def test_what_rest_puts_is_listed_in_pages(cloudflare: Api, s3: Any) -> None:
    for number in range(5):
        path = f"/r2/buckets/{BUCKET}/objects/pages%2F{number}"
        assert cloudflare.client.put(path, content=b"x").is_success
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="pages/", PaginationConfig={"PageSize": 2}
    )
    assert [each["Key"] for page in pages for each in page["Contents"]] == [f"pages/{number}" for number in range(5)]
    folders = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")["CommonPrefixes"]
    assert {"Prefix": "pages/"} in folders
    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"pages/{number}"} for number in range(5)]})
    assert len(gone["Deleted"]) == 5
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="pages/")["KeyCount"] == 0


def test_large_objects_go_up_in_parts(cloudflare: Api, s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large")["UploadId"]
    bodies = [b"a" * 5 * 1024 * 1024, b"b" * 1000]
    parts = []
    for number, body in enumerate(bodies, 1):
        sent = s3.upload_part(Bucket=BUCKET, Key="large", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": sent["ETag"], "PartNumber": number})
    s3.complete_multipart_upload(Bucket=BUCKET, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
    assert rest(cloudflare, "large").content == b"".join(bodies)
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "large"})
    assert s3.head_object(Bucket=BUCKET, Key="copy")["ContentLength"] == sum(map(len, bodies))


def test_conditions_are_kept(s3: Any) -> None:
    tag = s3.put_object(Bucket=BUCKET, Key="once", Body=b"1")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")
    with pytest.raises(ClientError, match="304"):
        s3.get_object(Bucket=BUCKET, Key="once", IfNoneMatch=tag)


def test_presigned_addresses_need_no_key(cloudflare: Api, s3: Any) -> None:
    put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "by link"}, ExpiresIn=60)
    assert httpx.put(put, content=b"linked").status_code == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by link"}, ExpiresIn=60)
    assert httpx.get(get).content == b"linked"
    assert httpx.get(get.replace("by%20link", "other")).status_code == 403
    assert httpx.put(get, content=b"x").status_code == 403
    assert rest(cloudflare, "by link").content == b"linked"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"aws_secret_access_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "f" * 32}, "Unauthorized"),
    ],
)
def test_who_has_no_key_is_refused(cloudflare: Api, s3: Any, other: dict[str, str], code: str) -> None:
    stranger = client(cloudflare, **other)
    with pytest.raises(ClientError) as refused:
        stranger.list_objects_v2(Bucket=BUCKET)
    stranger.close()
    assert refused.value.response["Error"]["Code"] == code


def test_without_a_signature_nothing_is_told(cloudflare: Api, s3: Any) -> None:
    base = f"http://127.0.0.1:{cloudflare.running.api_port}/cdn-cgi/local/r2/s3"
    for method, path in (
        ("GET", ""),
        ("GET", f"/{BUCKET}"),
        ("GET", f"/{BUCKET}/once"),
        ("PUT", f"/{BUCKET}/new"),
        ("DELETE", f"/{BUCKET}"),
    ):
        answer = httpx.request(method, base + path, content=b"x" if method == "PUT" else None)
        assert answer.status_code in (400, 401), f"{method} {path}: {answer.status_code}"
    token = local.token_of(cloudflare.folder)
    assert httpx.get(f"{base}/{BUCKET}", headers={"authorization": f"Bearer {token}"}).status_code in (400, 401)
    assert rest(cloudflare, "new").status_code == 404


def test_a_new_bucket_is_there_and_a_deleted_one_is_gone(cloudflare: Api, s3: Any) -> None:
    assert cloudflare.client.post("/r2/buckets", json={"name": "later"}).is_success
    assert {BUCKET, "later"} <= {each["Name"] for each in s3.list_buckets()["Buckets"]}
    s3.put_object(Bucket="later", Key="a", Body=b"1")
    s3.delete_object(Bucket="later", Key="a")
    assert cloudflare.client.delete("/r2/buckets/later").is_success
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket="later")


def test_what_r2_does_not_have_is_told_by_name(s3: Any) -> None:
    with pytest.raises(ClientError, match="NotImplemented"):
        s3.get_bucket_policy(Bucket=BUCKET)


def test_buckets_are_made_listed_and_deleted(cloudflare: Api, s3: Any) -> None:
    """What rclone asks before it copies anything."""
    s3.create_bucket(Bucket="made-by-s3", CreateBucketConfiguration={"LocationConstraint": "eeur"})
    assert cloudflare.client.get("/r2/buckets/made-by-s3").json()["result"]["location"] == "EEUR"
    listed = s3.list_buckets()
    assert "" not in [each["Name"] for each in listed["Buckets"]]
    assert next(each["CreationDate"] for each in listed["Buckets"] if each["Name"] == "made-by-s3").year >= 2026
    s3.put_object(Bucket="made-by-s3", Key="a", Body=b"1")
    for call, code in (
        (lambda: s3.create_bucket(Bucket="made-by-s3"), "BucketAlreadyOwnedByYou"),
        (lambda: s3.create_bucket(Bucket="-no-name"), "InvalidBucketName"),
        (
            lambda: s3.create_bucket(Bucket="x-y-z", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}),
            "InvalidLocationConstraint",
        ),
        (lambda: s3.delete_bucket(Bucket="made-by-s3"), "BucketNotEmpty"),
        (lambda: s3.delete_bucket(Bucket="no-such-bucket"), "NoSuchBucket"),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
    s3.delete_object(Bucket="made-by-s3", Key="a")
    s3.delete_bucket(Bucket="made-by-s3")
    assert cloudflare.client.get("/r2/buckets/made-by-s3").status_code == 404


@pytest.mark.parametrize(
    ("other", "code"),
    [({"aws_secret_access_key": "x"}, "SignatureDoesNotMatch"), ({"aws_access_key_id": "f" * 32}, "Unauthorized")],
)
def test_a_stranger_makes_deletes_and_lists_nothing(cloudflare: Api, other: dict[str, str], code: str) -> None:
    stranger = client(cloudflare, **other)
    for call in (
        lambda: stranger.create_bucket(Bucket="by-a-stranger"),
        lambda: stranger.delete_bucket(Bucket=BUCKET),
        lambda: stranger.list_buckets(),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
    stranger.close()
    assert cloudflare.client.get("/r2/buckets/by-a-stranger").status_code == 404


def framed(cloudflare: Api, key: str, body: bytes, length: int, secret: str = "") -> httpx.Response:
    """A put as the AWS SDK for JavaScript sends a stream: its chunks framed, its checksum behind them."""
    token = local.token_of(cloudflare.folder)
    found = local.s3_environment(cloudflare.running.api_port, local.ACCOUNT_ID, token)
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(length)}
    headers |= {"x-amz-trailer": "x-amz-checksum-crc32", "content-length": str(len(body))}
    request = AWSRequest("PUT", f"{found['AWS_ENDPOINT_URL_S3']}/{BUCKET}/{key}", headers, body)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    credentials = Credentials(found["AWS_ACCESS_KEY_ID"], secret or found["AWS_SECRET_ACCESS_KEY"])
    S3SigV4Auth(credentials, "s3", "auto").add_auth(request)
    return httpx.put(request.url, headers=dict(request.headers), content=body)


def test_a_stream_in_frames_is_stored_without_them(cloudflare: Api, s3: Any) -> None:
    assert s3
    text = bytes(range(256)) * 300
    frames = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (text[:1000], text[1000:]))
    ended = frames + b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    done = framed(cloudflare, "framed", ended, len(text))
    assert done.status_code == 200, done.text
    assert rest(cloudflare, "framed").content == text
    assert s3.head_object(Bucket=BUCKET, Key="framed").get("ContentEncoding") in (None, "")
    for name, body, length, secret, code in (
        ("short", ended, len(text) + 1, "", "IncompleteBody"),
        ("cut", frames, len(text), "", "IncompleteBody"),
        ("odd", b"zz\r\nx\r\n", 1, "", "InvalidRequest"),
        ("stranger", ended, len(text), "wrong", "SignatureDoesNotMatch"),
    ):
        refused = framed(cloudflare, name, body, length, secret)
        assert f"<Code>{code}</Code>" in refused.text, (name, refused.status_code, refused.text)
        assert rest(cloudflare, name).status_code == 404
