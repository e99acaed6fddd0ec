#!/usr/bin/env python3
"""
A worker in Python, with boto3: takes readings from the queue `telemetry` and appends them to a file.

    python3 examples/worker_sqs.py [FILE]        environment: SQS_URL, QUEUE, and AWS_… as for any program with boto3

What it cannot do comes back after a while, and is a dead letter when that has happened often enough. Ctrl-C ends it in order: it
finishes what it has, and takes no more.
"""
import json
import os
import signal
import sys

import boto3

URL = os.environ.get("SQS_URL", "http://127.0.0.1:9324")
QUEUE = os.environ.get("QUEUE", "telemetry")
FILE = sys.argv[1] if len(sys.argv) > 1 else "readings.ndjson"
RETRY_SECONDS = 2
# Short enough to end soon: boto3 cannot be told to stop waiting.
WAIT_SECONDS = 2


def client():
    """The endpoint of a broker on this machine takes any key."""
    known = "AWS_ACCESS_KEY_ID" in os.environ
    keys = {} if known else {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
    region = os.environ.get("AWS_REGION", "us-east-1")
    return boto3.client("sqs", endpoint_url=URL, region_name=region, **keys)


def topic_of(message):
    return message.get("MessageAttributes", {}).get("mqtt.topic", {}).get("StringValue", "")


def record(message):
    """Appends one reading. A message may come twice, after a crash: its id tells."""
    celsius = json.loads(message["Body"])["celsius"]
    if isinstance(celsius, bool) or not isinstance(celsius, (int, float)):
        raise ValueError("no number celsius")
    line = json.dumps({"id": message["MessageId"], "topic": topic_of(message), "celsius": celsius})
    with open(FILE, "a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())  # done means kept


def work(sqs, url, message):
    """Returns whether the message is done with."""
    try:
        record(message)
        print(f"done: {topic_of(message)}", flush=True)
        return True
    except Exception as error:  # whatever it is: another attempt may succeed
        print(f"not done: {topic_of(message)}: {error!r}", file=sys.stderr, flush=True)
        handle = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=RETRY_SECONDS)
        return False


def main():
    is_stopping = False

    def stop(*_):
        nonlocal is_stopping
        is_stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sqs = client()
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    print(f"taking from {QUEUE}", flush=True)
    while not is_stopping:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS, MessageAttributeNames=["mqtt.topic"]
        )
        done = [message for message in answer.get("Messages", []) if work(sqs, url, message)]
        if done:
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(done)]
            for failed in sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed", []):
                print(f"not deleted: {failed['Message']}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
