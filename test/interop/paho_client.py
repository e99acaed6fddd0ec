"""
Eclipse Paho for Python against the broker: each check in MQTT 3.1, 3.1.1 and 5. Prints one line for each; exits with 1
at the first failure. Usage: paho_client.py <TCP port> <WebSocket port> <port of a broker that takes 10 MB>
"""
import queue
import sys

import paho.mqtt.client as mqtt
from recorded_client import RecordedClient, check

TCP, WEBSOCKET, ROOMY = (int(port) for port in sys.argv[1:])


def all_qos(version, tag):
    subscriber = RecordedClient(TCP, f"{tag}-sub", version)
    subscriber.subscribe(f"{tag}/#", 2)
    publisher = RecordedClient(TCP, f"{tag}-pub", version)
    for qos in (0, 1, 2):
        for n in range(200):
            publisher.publish(f"{tag}/{qos}", f"{qos}-{n}", qos)
        got = [subscriber.next() for _ in range(200)]
        check(f"{tag}: 200 messages at QoS {qos}, in order",
              [m.payload.decode() for m in got] == [f"{qos}-{n}" for n in range(200)]
              and all(m.qos == qos for m in got))
    publisher.disconnect()
    subscriber.disconnect()


def many_in_flight(version, tag):
    expected = [str(n).encode() for n in range(500)]
    left = RecordedClient(TCP, f"{tag}-left", version, unlimited=True)
    right = RecordedClient(TCP, f"{tag}-right", version, unlimited=True)
    left.subscribe(f"{tag}/to-left", 2)
    right.subscribe(f"{tag}/to-right", 2)
    sent = []
    for payload in expected:
        sent.append(left.client.publish(f"{tag}/to-right", payload, 2))
        sent.append(right.client.publish(f"{tag}/to-left", payload, 2))
    for client in (left, right):
        got = [client.next() for _ in expected]
        check(f"{tag}: 500 at QoS 2 in flight in both directions, in order",
              [m.payload for m in got] == expected and all(m.qos == 2 and not m.dup for m in got))
    for info in sent:
        info.wait_for_publish(10)
    check(f"{tag}: all of them completed, none twice",
          all(info.is_published() for info in sent) and left.messages.empty() and right.messages.empty())
    left.disconnect()
    right.disconnect()


def large(version, tag):
    client = RecordedClient(ROOMY, f"{tag}-large", version)
    client.subscribe(f"{tag}/large", 2)
    payload = bytes(range(250)) * 40_000
    for qos in (0, 1, 2):
        client.publish(f"{tag}/large", payload, qos)
        message = client.next()
        check(f"{tag}: 10 MB at QoS {qos} come back as they were", message.payload == payload and message.qos == qos)
    client.disconnect()


def too_large(version, tag):
    client = RecordedClient(TCP, f"{tag}-too-large", version, reconnect_on_failure=False)
    client.client.publish(f"{tag}/large", bytes(2_000_000), 1)
    reason, *rest = client.wait("disconnected")
    if version == mqtt.MQTTv5:
        check(f"{tag}: a packet above the limit is refused with 0x95, and the limit was told before",
              reason.value == 0x95 and "maximum" in rest[0].ReasonString
              and client.connack.MaximumPacketSize == 1024 * 1024)
    else:
        check(f"{tag}: a packet above the limit ends the connection", reason != 0)
    client.client.loop_stop()


def retained(version, tag):
    publisher = RecordedClient(TCP, f"{tag}-pub", version)
    publisher.publish(f"{tag}/kept", "value", 1, retain=True)
    late = RecordedClient(TCP, f"{tag}-late", version)
    late.subscribe(f"{tag}/+", 1)
    message = late.next()
    check(f"{tag}: a retained message for a late subscriber", message.retain and message.payload == b"value")
    publisher.publish(f"{tag}/kept", None, 1, retain=True)
    cleared = late.next()
    check(f"{tag}: its removal is passed on as a message", cleared.payload == b"" and not cleared.retain)
    later = RecordedClient(TCP, f"{tag}-later", version)
    later.subscribe(f"{tag}/+", 1)
    publisher.publish(f"{tag}/kept", "passing", 1)
    check(f"{tag}: and nothing is left for a later one", later.next().payload == b"passing")
    for client in (publisher, late, later):
        client.disconnect()


def will(version, tag):
    watcher = RecordedClient(TCP, f"{tag}-watcher", version)
    watcher.subscribe(f"{tag}/will", 1)
    victim = RecordedClient(TCP, f"{tag}-victim", version, will=(f"{tag}/will", "gone", 1, False))
    victim.die()
    check(f"{tag}: the will of a client that died", watcher.next().payload == b"gone")
    polite = RecordedClient(TCP, f"{tag}-polite", version, will=(f"{tag}/will", "unexpected", 1, False))
    polite.disconnect()
    watcher.publish(f"{tag}/will", "last", 1)
    check(f"{tag}: no will after DISCONNECT", watcher.next().payload == b"last")
    watcher.disconnect()


def session(version, tag):
    name = f"{tag}-session"
    keywords = {"clean": False, "expiry": 300}
    first = RecordedClient(TCP, name, version, **keywords)
    first.subscribe(f"{tag}/session", 2)
    first.disconnect()
    publisher = RecordedClient(TCP, f"{tag}-pub", version)
    for n in range(50):
        publisher.publish(f"{tag}/session", str(n), 1 + n % 2)
    again = RecordedClient(TCP, name, version, **keywords)
    got = [int(again.next().payload) for _ in range(50)]
    # MQTT 3.1 has no flag that tells of the session.
    check(f"{tag}: a session keeps what was sent meanwhile",
          again.is_present == (version != mqtt.MQTTv31) and sorted(got) == list(range(50)))
    again.disconnect()
    publisher.disconnect()


def old_devices():
    name = "a-device-with-a-name-of-more-than-23-bytes"
    client = RecordedClient(TCP, name, mqtt.MQTTv31)
    client.subscribe("v31/name", 1)
    client.publish("v31/name", "x", 1)
    check("v31: a client identifier above 23 bytes is taken", client.next().payload == b"x")
    client.disconnect()
    codes = queue.Queue()
    nameless = mqtt.Client("x", protocol=mqtt.MQTTv31, reconnect_on_failure=False)
    nameless._client_id = b""  # it would make up one
    nameless.on_connect = lambda _c, _u, _flags, code: codes.put(code)
    nameless.connect("127.0.0.1", TCP)
    nameless.loop_start()
    check("v31: an empty one is refused with 2", codes.get(timeout=10) == 2)
    nameless.loop_stop()


def over_websocket(version, tag):
    client = RecordedClient(WEBSOCKET, f"{tag}-ws", version, transport="websockets")
    client.subscribe(f"{tag}/ws", 2)
    for qos in (0, 1, 2):
        client.publish(f"{tag}/ws", "echo", qos)
        message = client.next()
        check(f"{tag}: WebSocket there and back at QoS {qos}", message.payload == b"echo" and message.qos == qos)
    client.disconnect()


for version, tag in ((mqtt.MQTTv31, "v31"), (mqtt.MQTTv311, "v311"), (mqtt.MQTTv5, "v5")):
    for checks in (all_qos, many_in_flight, large, too_large, retained, will, session, over_websocket):
        checks(version, tag)
old_devices()
