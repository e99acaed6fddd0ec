"""
What MQTT 5 alone has, with Eclipse Paho for Python against the broker. Prints one line for each check; exits with 1 at
the first failure. Usage: paho_mqtt5.py <TCP port>
"""
import select
import sys
import time

from paho.mqtt.client import MQTTv5
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions
from recorded_client import RecordedClient, check, properties_of

PORT = int(sys.argv[1])


def connected(name, **options):
    return RecordedClient(PORT, name, MQTTv5, **options)


def publish_properties(**values):
    return properties_of(PacketTypes.PUBLISH, **values)


def properties():
    client = connected("properties")
    client.subscribe("p", options=SubscribeOptions(qos=1))
    users = [("b", "1"), ("a", "2"), ("b", "3")]
    sent = publish_properties(UserProperty=users, ContentType="text/plain", PayloadFormatIndicator=1)
    client.publish("p", "x", 1, properties=sent)
    got = client.next().properties
    check("properties arrive in their order",
          got.UserProperty == users and got.ContentType == "text/plain" and got.PayloadFormatIndicator == 1)
    client.subscribe("own", options=SubscribeOptions(qos=1, noLocal=True))
    client.publish("own", "own", 1)
    client.publish("p", "other", 1)
    check("No Local", client.next().payload == b"other")
    client.disconnect()


def will_delay():
    watcher = connected("will-watcher")
    watcher.subscribe("will/#", 1)

    def victim(name, delay, expiry=None):
        delayed = properties_of(PacketTypes.WILLMESSAGE, WillDelayInterval=delay, ContentType="text/will")
        return connected(name, clean=False, expiry=expiry, will=(f"will/{name}", name, 1, False, delayed))

    absent, returning, ending = victim("absent", 1, 300), victim("returning", 1, 300), victim("ending", 60)
    died_at = time.monotonic()
    for client in (absent, returning, ending):
        client.die()
    message = watcher.next()
    check("a will is not delayed beyond the end of its session",
          message.payload == b"ending" and time.monotonic() - died_at < 0.9)
    returned = victim("returning", 1, 300)
    message = watcher.next()
    check("a will waits for its delay", message.payload == b"absent" and 0.9 < time.monotonic() - died_at < 5)
    check("and has its properties, without the delay", message.properties.ContentType == "text/will")
    check("a client that comes back cancels it", returned.is_present and watcher.has_nothing_for(0.5))
    returned.disconnect()
    told = victim("told", 0)
    told.disconnect(reasoncode=ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message"))
    check("DISCONNECT 0x04 publishes it", watcher.next().payload == b"told")
    watcher.disconnect()


def retain_handling():
    client = connected("retain-handling")
    client.publish("handling/kept", "kept", 1, retain=True)

    def subscribed(handling, filter="handling/+", **options):
        """The payloads that a subscription brings, by a message that is published after it."""
        client.subscribe(filter, options=SubscribeOptions(qos=1, retainHandling=handling, **options))
        client.publish("handling/end", "end", 1)
        payloads = []
        while payloads[-1:] != [b"end"]:
            payloads.append(client.next().payload)
        return payloads[:-1]

    check("Retain Handling 1 sends for a new subscription", subscribed(1) == [b"kept"])
    check("Retain Handling 1 sends nothing for one that is there", subscribed(1) == [])
    check("Retain Handling 0 sends always", subscribed(0) == [b"kept"])
    client.client.unsubscribe("handling/+")
    check("Retain Handling 2 sends nothing, even for a new one", subscribed(2, "handling/#") == [])
    client.subscribe("handling/live", options=SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=2))
    client.client.unsubscribe("handling/#")
    client.publish("handling/live", "x", 1, retain=True)
    check("Retain As Published keeps the flag", client.next().retain)
    for topic in ("handling/kept", "handling/live"):
        client.publish(topic, None, 1, retain=True)
    client.disconnect()


def message_expiry():
    first = connected("expiry", clean=False, expiry=300)
    first.subscribe("expiry/#", 1)
    first.disconnect()
    publisher = connected("expiry-publisher")
    publisher.publish("expiry/short", "short", 1, properties=publish_properties(MessageExpiryInterval=1))
    publisher.publish("expiry/long", "long", 1, properties=publish_properties(MessageExpiryInterval=100))
    publisher.publish("expiry/never", "never", 1)
    time.sleep(2.1)
    again = connected("expiry", clean=False, expiry=300)
    long, never = again.next(), again.next()
    check("an expired message does not come", (long.payload, never.payload) == (b"long", b"never"))
    check("the interval that is left is told",
          90 < long.properties.MessageExpiryInterval <= 98 and not hasattr(never.properties, "MessageExpiryInterval"))
    again.disconnect()
    publisher.disconnect()


def receive_maximum():
    publisher = connected("flow-publisher")
    for qos in (1, 2):
        for limit, is_ahead in ((10, True), (1, False)):
            subscriber = connected(f"flow-{qos}-{limit}", connect={"ReceiveMaximum": limit})
            more = []

            def on_message(client, _userdata, message):
                # The library acknowledges after this: what can be read now was sent before.
                more.append(bool(select.select([client.socket()], [], [], 0.1)[0]))
                subscriber.messages.put(message)

            subscriber.client.on_message = on_message
            subscriber.subscribe("flow", qos)
            for n in range(5):
                publisher.client.publish("flow", str(n), qos)
            got = [subscriber.next().payload for _ in range(5)]
            check(f"Receive Maximum {limit} at QoS {qos}: {'others' if is_ahead else 'nothing'} before the acknowledgement",
                  got == [b"0", b"1", b"2", b"3", b"4"] and any(more) == is_ahead)
            subscriber.disconnect()
    publisher.disconnect()


def refusals():
    client = connected("refused")
    codes = client.subscribe([("$share/group", SubscribeOptions(qos=1)), ("fine", SubscribeOptions(qos=2)),
                              ("/".join("x" * 200), SubscribeOptions(qos=1))])
    check("SUBACK refuses the bad filters alone", [code.value for code in codes] == [0x8F, 2, 0x8F])
    client.publish("nobody/listens", "x", 1)
    check("PUBACK 0x10 without a subscriber", client.client.acknowledged.get(timeout=5) == ("PUBACK", 0x10))
    client.publish("$SYS/mine", "x", 1)
    check("PUBACK refuses what is the broker's", client.client.acknowledged.get(timeout=5) == ("PUBACK", 0x87))
    # The library releases the refused message all the same.
    client.publish("$SYS/mine", "x", 2)
    check("PUBREC refuses it, and PUBCOMP does not know it",
          [client.client.acknowledged.get(timeout=5) for _ in range(2)] == [("PUBREC", 0x87), ("PUBCOMP", 0x92)])
    client.publish("fine", "after", 1)
    check("the connection is as good as before", client.next().payload == b"after")
    client.disconnect()
    for topic, properties, expected, words in (
        ("", publish_properties(TopicAlias=9), 0x82, "Topic Alias 9"),
        ("x", publish_properties(TopicAlias=6000), 0x94, "Topic Alias 6000"),
        ("/".join("x" * 200), None, 0x90, "levels"),
    ):
        client = connected("disconnected", reconnect_on_failure=False)
        client.client.publish(topic, "x", 1, properties=properties)
        reason, details = client.wait("disconnected")
        check(f"DISCONNECT {expected:#x} says why", reason.value == expected and words in details.ReasonString)
        client.client.loop_stop()


def topic_alias():
    client = connected("alias")
    client.subscribe("alias/#", 2)
    for number, topic in ((1, "alias/one"), (2, "alias/two"), (1, "alias/three")):
        for qos in (0, 1, 2):
            alias = publish_properties(TopicAlias=number)
            client.publish(topic if qos == 0 else "", "x", qos, properties=alias)
            got = client.next()
            check(f"Topic Alias {number} stands for {topic} at QoS {qos}", got.topic == topic and got.qos == qos)
    client.disconnect()


def request_response():
    asking = connected("asking", connect={"RequestResponseInformation": 1})
    answering = connected("answering")
    answers = f"{asking.connack.ResponseInformation}/answers"
    asking.subscribe(answers, 1)
    answering.subscribe("requests", 1)
    correlation = bytes(range(256))
    asking.publish("requests", "ask", 1,
                   properties=publish_properties(ResponseTopic=answers, CorrelationData=correlation))
    request = answering.next()
    answering.publish(request.properties.ResponseTopic, "answer", 1,
                      properties=publish_properties(CorrelationData=request.properties.CorrelationData))
    answer = asking.next()
    check("a response finds its request, by Response Information",
          answer.topic == answers and answer.payload == b"answer" and answer.properties.CorrelationData == correlation)
    check("Response Information is told to nobody who has not asked", not hasattr(answering.connack, "ResponseInformation"))
    asking.disconnect()
    answering.disconnect()


def subscription_identifiers():
    client = connected("identifiers")
    for filter, identifier in (("id/a", 1), ("id/+", 268_435_455), ("other", 7)):
        wanted = properties_of(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=identifier)
        client.subscribe(filter, options=SubscribeOptions(qos=1), properties=wanted)
    client.publish("id/a", "x", 1)
    check("one message with the identifiers of both subscriptions",
          sorted(client.next().properties.SubscriptionIdentifier) == [1, 268_435_455])
    client.subscribe("id/a", options=SubscribeOptions(qos=1))
    client.publish("id/a", "y", 1)
    check("a subscription that is replaced loses its identifier",
          client.next().properties.SubscriptionIdentifier == [268_435_455])
    client.disconnect()


def session_expiry():
    def ended_with(expiry):
        return {"properties": properties_of(PacketTypes.DISCONNECT, SessionExpiryInterval=expiry)}

    def present(name):
        client = connected(name, clean=False)
        client.disconnect()
        return client.is_present

    connected("ends", expiry=300).disconnect(**ended_with(0))
    connected("shorter", expiry=300).disconnect(**ended_with(1))
    connected("longer", expiry=1).disconnect(**ended_with(300))
    connected("as-it-was", expiry=1).disconnect()
    check("Session Expiry 0 in DISCONNECT ends the session", not present("ends"))
    time.sleep(1.6)
    check("a shorter one ends it sooner", not present("shorter"))
    check("a longer one lets it live on", present("longer"))
    check("and without one it ends as it was to", not present("as-it-was"))


for checks in (properties, will_delay, retain_handling, message_expiry, receive_maximum, refusals, topic_alias,
               request_response, subscription_identifiers, session_expiry):
    checks()
