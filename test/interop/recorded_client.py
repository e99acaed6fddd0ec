"""A client of Eclipse Paho for Python whose events are waited for one by one, and the lines that its checks print."""
import queue
import socket
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TIMEOUT = 10


class ObservedClient(mqtt.Client):
    """Keeps the reason codes of PUBACK and PUBREC, which the library reads and tells nobody."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.acknowledged = queue.Queue()

    def _handle_pubackcomp(self, cmd):
        self._note(cmd)
        return super()._handle_pubackcomp(cmd)

    def _handle_pubrec(self):
        self._note("PUBREC")
        return super()._handle_pubrec()

    def _note(self, name):
        packet = self._in_packet["packet"]
        self.acknowledged.put((name, packet[2] if len(packet) > 2 else 0))


class RecordedClient:
    def __init__(self, port, name, version, clean=True, will=None, expiry=None, connect=None, unlimited=False, **options):
        """Connects. `connect` holds further properties of CONNECT, by name; `unlimited` lifts the library's own window."""
        if version == mqtt.MQTTv5:
            self.client = ObservedClient(name, protocol=version, **options)
        else:
            self.client = ObservedClient(name, clean_session=clean, protocol=version, **options)
        self.messages = queue.Queue()
        self.events = queue.Queue()
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        self.client.on_subscribe = lambda _c, _u, _mid, granted, *_rest: self.events.put(("subscribed", granted))
        self.client.on_connect = lambda _c, _u, flags, code, *rest: self.events.put(("connected", (flags, code, *rest)))
        self.client.on_disconnect = lambda _c, _u, *reason: self.events.put(("disconnected", reason))
        if unlimited:
            self.client.max_inflight_messages_set(0)
        if will:
            self.client.will_set(*will)
        keywords = {}
        if version == mqtt.MQTTv5:
            connect = {**({"SessionExpiryInterval": expiry} if expiry else {}), **(connect or {})}
            keywords = {"clean_start": clean, "properties": properties_of(PacketTypes.CONNECT, **connect)}
        self.client.connect("127.0.0.1", port, 60, **keywords)
        self.client.loop_start()
        flags, self.code, *rest = self.wait("connected")
        self.is_present = flags["session present"] == 1
        self.connack = rest[0] if rest else None

    def wait(self, kind):
        while True:
            event = self.events.get(timeout=TIMEOUT)
            if event[0] == kind:
                return event[1]

    def subscribe(self, *args, **keywords):
        """Returns what is granted for each filter."""
        self.client.subscribe(*args, **keywords)
        return self.wait("subscribed")

    def publish(self, *args, **keywords):
        self.client.publish(*args, **keywords).wait_for_publish(TIMEOUT)

    def next(self):
        return self.messages.get(timeout=TIMEOUT)

    def has_nothing_for(self, seconds):
        try:
            self.messages.get(timeout=seconds)
            return False
        except queue.Empty:
            return True

    def disconnect(self, **keywords):
        self.client.disconnect(**keywords)
        self.client.loop_stop()

    def die(self):
        """Ends the connection without a word."""
        self.client._thread_terminate = True
        self.client._sock.shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()


def properties_of(packet_type, **values):
    properties = Properties(packet_type)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def check(name, condition):
    if not condition:
        print("FAILED", name)
        sys.exit(1)
    print("ok", name)
