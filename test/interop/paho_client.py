"""Eclipse Paho for Python against the broker: each check in MQTT 3.1.1 and 5. Prints one line for each; exits with 1 at the first failure."""
import queue
import socket
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
TIMEOUT = 10


class Client:
    """A client whose events are waited for one by one."""

    def __init__(self, name, version, clean=True, will=None, expiry=None, **options):
        if version == mqtt.MQTTv5:
            self.client = mqtt.Client(name, protocol=version, **options)
        else:
            self.client = mqtt.Client(name, clean_session=clean, protocol=version, **options)
        self.version = version
        self.messages = queue.Queue()
        self.events = queue.Queue()
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        self.client.on_subscribe = lambda _c, _u, mid, *rest: self.events.put(("subscribed", mid))
        self.client.on_publish = lambda _c, _u, mid: self.events.put(("published", mid))
        self.client.on_connect = lambda _c, _u, flags, code, *rest: self.events.put(("connected", flags))
        if will:
            self.client.will_set(*will)
        keywords = {}
        if version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            if expiry:
                properties.SessionExpiryInterval = expiry
            keywords = {"clean_start": clean, "properties": properties}
        self.client.connect("127.0.0.1", PORT, 60, **keywords)
        self.client.loop_start()
        self.flags = self.wait("connected")

    def wait(self, kind):
        while True:
            event = self.events.get(timeout=TIMEOUT)
            if event[0] == kind:
                return event[1]

    def subscribe(self, *args, **keywords):
        self.client.subscribe(*args, **keywords)
        self.wait("subscribed")

    def publish(self, *args, **keywords):
        self.client.publish(*args, **keywords).wait_for_publish(TIMEOUT)

    def next(self):
        return self.messages.get(timeout=TIMEOUT)

    def disconnect(self):
        self.client.disconnect()
        self.client.loop_stop()

    def die(self):
        """Ends the connection without a word."""
        self.client._thread_terminate = True
        self.client._sock.shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()


def check(name, condition):
    if not condition:
        print("FAILED", name)
        sys.exit(1)
    print("ok", name)


def all_qos(version, tag):
    subscriber = Client(f"{tag}-sub", version)
    subscriber.subscribe(f"{tag}/#", 2)
    publisher = Client(f"{tag}-pub", version)
    for qos in (0, 1, 2):
        for n in range(200):
            publisher.publish(f"{tag}/{qos}", f"{qos}-{n}", qos)
        got = [subscriber.next() for _ in range(200)]
        check(f"{tag}: 200 messages at QoS {qos}, in order",
              [m.payload.decode() for m in got] == [f"{qos}-{n}" for n in range(200)]
              and all(m.qos == qos for m in got))
    publisher.disconnect()
    subscriber.disconnect()


def large(version, tag):
    client = Client(f"{tag}-large", version)
    client.subscribe(f"{tag}/large", 1)
    payload = bytes(range(256)) * 3000
    client.publish(f"{tag}/large", payload, 1)
    check(f"{tag}: 768,000 bytes come back as they were", client.next().payload == payload)
    client.disconnect()


def retained(version, tag):
    publisher = Client(f"{tag}-pub", version)
    publisher.publish(f"{tag}/kept", "value", 1, retain=True)
    late = Client(f"{tag}-late", version)
    late.subscribe(f"{tag}/+", 1)
    message = late.next()
    check(f"{tag}: a retained message for a late subscriber", message.retain and message.payload == b"value")
    publisher.publish(f"{tag}/kept", None, 1, retain=True)
    late.disconnect()
    publisher.disconnect()


def will(version, tag):
    watcher = Client(f"{tag}-watcher", version)
    watcher.subscribe(f"{tag}/will", 1)
    victim = Client(f"{tag}-victim", version, will=(f"{tag}/will", "gone", 1, False))
    victim.die()
    check(f"{tag}: the will of a client that died", watcher.next().payload == b"gone")
    polite = Client(f"{tag}-polite", version, will=(f"{tag}/will", "unexpected", 1, False))
    polite.disconnect()
    watcher.publish(f"{tag}/will", "last", 1)
    check(f"{tag}: no will after DISCONNECT", watcher.next().payload == b"last")
    watcher.disconnect()


def session(version, tag):
    name = f"{tag}-session"
    keywords = {"clean": False, "expiry": 300}
    first = Client(name, version, **keywords)
    first.subscribe(f"{tag}/session", 2)
    first.disconnect()
    publisher = Client(f"{tag}-pub", version)
    for n in range(50):
        publisher.publish(f"{tag}/session", str(n), 1 + n % 2)
    again = Client(name, version, **keywords)
    present = again.flags["session present"] == 1
    got = [int(again.next().payload) for _ in range(50)]
    check(f"{tag}: a session keeps what was sent meanwhile", present and sorted(got) == list(range(50)))
    again.disconnect()
    publisher.disconnect()


def properties(tag):
    client = Client(f"{tag}-properties", mqtt.MQTTv5)
    client.subscribe(f"{tag}/p", options=SubscribeOptions(qos=1), properties=None)
    sent = Properties(PacketTypes.PUBLISH)
    sent.UserProperty = [("b", "1"), ("a", "2"), ("b", "3")]
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "answers"
    sent.CorrelationData = b"\x00\x01"
    sent.MessageExpiryInterval = 100
    client.publish(f"{tag}/p", "x", 1, properties=sent)
    got = client.next().properties
    check(f"{tag}: properties arrive in their order",
          got.UserProperty == [("b", "1"), ("a", "2"), ("b", "3")] and got.ContentType == "text/plain"
          and got.ResponseTopic == "answers" and got.CorrelationData == b"\x00\x01"
          and 98 <= got.MessageExpiryInterval <= 100)
    client.subscribe(f"{tag}/own", options=SubscribeOptions(qos=1, noLocal=True))
    client.publish(f"{tag}/own", "own", 1)
    client.publish(f"{tag}/p", "other", 1)
    check(f"{tag}: No Local", client.next().payload == b"other")
    client.disconnect()


for version, tag in ((mqtt.MQTTv31, "v31"), (mqtt.MQTTv311, "v311"), (mqtt.MQTTv5, "v5")):
    all_qos(version, tag)
    large(version, tag)
    retained(version, tag)
    will(version, tag)
    if version != mqtt.MQTTv31:
        session(version, tag)
properties("v5")

PORT = int(sys.argv[2])
over_websocket = Client("ws", mqtt.MQTTv5, transport="websockets")
over_websocket.subscribe("ws/echo", 1)
over_websocket.publish("ws/echo", "echo", 1)
check("WebSocket: there and back", over_websocket.next().payload == b"echo")
over_websocket.disconnect()
