#!/usr/bin/env python3
"""
A worker in Python, with Eclipse Paho (paho-mqtt 1.6 or 2): takes readings from the queue `telemetry` and appends them to a file.

    python3 examples/worker_mqtt.py [FILE]        environment: MQTT_HOST, MQTT_PORT, QUEUE

Paho sends PUBACK when on_message returns, and cannot put a reason code into it. So what is not done is said before that, on the
control topic of the queue, which takes the id of the message. The id, and all else that is known of it, comes in an
envelope of JSON: that works in MQTT 3.1.1 as well, which this worker speaks.
"""
import base64
import json
import os
import signal
import sys
import threading

import paho.mqtt.client as mqtt

HOST = os.environ.get("MQTT_HOST", "127.0.0.1")
PORT = int(os.environ.get("MQTT_PORT", "1883"))
QUEUE = os.environ.get("QUEUE", "telemetry")
FILE = sys.argv[1] if len(sys.argv) > 1 else "readings.ndjson"

STOP_LIMIT_SECONDS = 10
# No PINGREQ leaves while a message is worked on, so none may take longer than half of this.
KEEP_ALIVE_SECONDS = 60


class Unusable(Exception):
    """Nobody can ever work on the message."""


def record(envelope):
    """Appends one reading. A message may come twice, after a crash: its id tells."""
    line = json.dumps({"id": envelope["id"], "topic": envelope["topic"], "celsius": celsius_in(payload_of(envelope))})
    with open(FILE, "a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())  # done means kept


def payload_of(envelope):
    """The payload is in the envelope as text, or in base64 if it is none."""
    if "payload" in envelope:
        return envelope["payload"].encode()
    return base64.b64decode(envelope["payloadBase64"])


def celsius_in(payload):
    try:
        celsius = json.loads(payload)["celsius"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable("no reading") from error
    if isinstance(celsius, bool) or not isinstance(celsius, (int, float)):
        raise Unusable("no number celsius")
    return celsius


class Worker:
    def __init__(self, work):
        self._work = work
        self._filter = f"$queue/{QUEUE}/$envelope"
        self._control = f"$queue/{QUEUE}/$ctl"
        self._is_stopping = False
        self._has_ended = threading.Event()
        self.is_refused = False
        # Paho 2 wants to be told the form of its callbacks; these take both.
        versions = getattr(mqtt, "CallbackAPIVersion", None)
        self._client = mqtt.Client(*([versions.VERSION2] if versions else []), protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(min_delay=1, max_delay=30)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = lambda *_: self._client.disconnect()
        self._client.on_message = self._on_message

    def start(self):
        self._client.connect_async(HOST, PORT, KEEP_ALIVE_SECONDS)
        self._client.loop_start()

    def wait(self):
        """Until the queue cannot be taken from."""
        self._has_ended.wait()

    def stop(self):
        """Takes no more, finishes what it has and says goodbye. Returns false if that takes too long."""
        self._is_stopping = True
        if self._client.is_connected():
            # The answer comes behind all messages that were sent before: they have been worked on then.
            self._client.unsubscribe(self._filter)
            if not self._has_ended.wait(STOP_LIMIT_SECONDS):
                return False
        self._client.loop_stop()
        return True

    def _on_connect(self, client, _userdata, _flags, _code, *_):
        if not self._is_stopping:
            client.subscribe(self._filter, qos=1)

    def _on_subscribe(self, client, _userdata, _mid, granted, *_):
        code = getattr(granted[0], "value", granted[0])
        if code >= 0x80:
            print(f"cannot take from {self._filter}", file=sys.stderr, flush=True)
            self.is_refused = True
            client.disconnect()
        else:
            print(f"taking from {self._filter}", flush=True)

    def _on_disconnect(self, *_):
        # What it had is the queue's again. Paho connects anew unless it was told to end.
        if self._is_stopping or self.is_refused:
            self._has_ended.set()

    def _on_message(self, client, _userdata, message):
        envelope = json.loads(message.payload)
        what = f"{envelope['topic']}, attempt {envelope['attempt']}"
        try:
            self._work(envelope)
            print(f"done: {what}", flush=True)
        except Unusable as error:
            print(f"rejected: {what}: {error}", file=sys.stderr, flush=True)
            self._command(envelope, "reject")
        except Exception as error:  # whatever it is: another attempt may succeed
            print(f"refused: {what}: {error}", file=sys.stderr, flush=True)
            self._command(envelope, "nack")

    def _command(self, envelope, action):
        # At QoS 0 it goes by the same connection as the PUBACK that follows, or not at all: a connection that
        # breaks gives the message back anyway.
        self._client.publish(self._control, json.dumps({"id": envelope["id"], "action": action}), qos=0)


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    worker = Worker(record)
    worker.start()
    try:
        worker.wait()
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # it ends within its limit
    has_ended = worker.stop()
    return 0 if has_ended and not worker.is_refused else 1


if __name__ == "__main__":
    sys.exit(main())
