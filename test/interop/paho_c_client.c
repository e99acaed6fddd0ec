/*
 * Eclipse Paho for C against the broker: the synchronous API.
 * Usage: paho_c_client <server URI> <MQTT version: 3, 4 or 5> <tag>. Prints one line for each check; exits with 1 at the first failure.
 */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000
#define COUNT 30

static const char *uri;
static const char *tag;
static int version;

static void check(const char *name, int condition)
{
    printf("%s %s\n", condition ? "ok" : "FAILED", name);
    fflush(stdout);
    if (!condition) exit(1);
}

static const char *named(const char *name)
{
    static char texts[8][128];
    static int next;
    char *text = texts[next++ % 8];
    snprintf(text, 128, "%s/%s", tag, name);
    return text;
}

/* Connects; *present says whether there was a session. Returns the reason code, or what went wrong below it. */
static int connect_as(MQTTClient *client, const char *id, int clean, MQTTClient_willOptions *will, int *present)
{
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = version;
    MQTTClient_createWithOptions(client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
    if (version == 5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        MQTTProperties properties = MQTTProperties_initializer;
        MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, .value.integer4 = 300};
        if (!clean) MQTTProperties_add(&properties, &expiry);
        options.cleanstart = clean;
        options.will = will;
        MQTTResponse response = MQTTClient_connect5(*client, &options, &properties, NULL);
        MQTTProperties_free(&properties);
        int code = response.reasonCode;
        if (code == 0 && present) *present = options.returned.sessionPresent;
        MQTTResponse_free(response);
        return code;
    }
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.MQTTVersion = version;
    options.cleansession = clean;
    options.will = will;
    int code = MQTTClient_connect(*client, &options);
    if (code == 0 && present) *present = options.returned.sessionPresent;
    return code;
}

static int subscribe_to(MQTTClient client, const char *filter, int qos)
{
    if (version != 5) return MQTTClient_subscribe(client, filter, qos) == MQTTCLIENT_SUCCESS;
    MQTTResponse response = MQTTClient_subscribe5(client, filter, qos, NULL, NULL);
    int granted = response.reasonCode == qos;
    MQTTResponse_free(response);
    return granted;
}

static void publish_to(MQTTClient client, const char *topic, const void *payload, int length, int qos, int retained)
{
    MQTTClient_deliveryToken token = 0;
    MQTTClient_message message = MQTTClient_message_initializer;
    message.payload = (void *)payload;
    message.payloadlen = length;
    message.qos = qos;
    message.retained = retained;
    if (version == 5) MQTTResponse_free(MQTTClient_publishMessage5(client, topic, &message, &token));
    else MQTTClient_publishMessage(client, topic, &message, &token);
    if (qos > 0) MQTTClient_waitForCompletion(client, token, PATIENCE_MS);
}

/* The next message, or NULL. */
static MQTTClient_message *receive(MQTTClient client, int timeout_ms)
{
    char *topic = NULL;
    int length;
    MQTTClient_message *message = NULL;
    MQTTClient_receive(client, &topic, &length, &message, timeout_ms);
    if (topic) MQTTClient_free(topic);
    return message;
}

static int receives(MQTTClient client, const char *expected, int retained)
{
    MQTTClient_message *message = receive(client, PATIENCE_MS);
    int is_so = message && message->payloadlen == (int)strlen(expected)
        && memcmp(message->payload, expected, strlen(expected)) == 0 && message->retained == retained;
    if (message) MQTTClient_freeMessage(&message);
    return is_so;
}

static void say_goodbye(MQTTClient *client)
{
    if (version == 5) MQTTClient_disconnect5(*client, 1000, MQTTREASONCODE_SUCCESS, NULL);
    else MQTTClient_disconnect(*client, 1000);
    MQTTClient_destroy(client);
}

static void qos_in_order(MQTTClient client)
{
    check("subscribed", subscribe_to(client, named("order"), 2));
    for (int qos = 0; qos < 3; qos++) {
        int in_order = 1;
        char text[16];
        for (int i = 0; i < COUNT; i++) {
            int length = snprintf(text, sizeof text, "%d", i);
            publish_to(client, named("order"), text, length, qos, 0);
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "%d", i);
            in_order &= receives(client, text, 0);
        }
        check("messages there and back, in order", in_order);
    }
    check("unsubscribed", MQTTClient_unsubscribe(client, named("order")) == MQTTCLIENT_SUCCESS || version == 5);
}

static void large(MQTTClient client)
{
    int length = 10000000;
    char *payload = malloc(length);
    for (int i = 0; i < length; i++) payload[i] = (char)(i * 31 + i / 251);
    subscribe_to(client, named("large"), 2);
    for (int qos = 0; qos < 3; qos++) {
        publish_to(client, named("large"), payload, length, qos, 0);
        MQTTClient_message *message = receive(client, PATIENCE_MS);
        check("10 MB there and back", message && message->payloadlen == length && memcmp(message->payload, payload, length) == 0);
        MQTTClient_freeMessage(&message);
    }
    free(payload);
}

static void retained(MQTTClient client)
{
    publish_to(client, named("kept"), "value", 5, 1, 1);
    subscribe_to(client, named("kept"), 1);
    check("a retained message", receives(client, "value", 1));
    publish_to(client, named("kept"), "", 0, 1, 1);
    check("its removal", receives(client, "", 0));
}

static void session(MQTTClient publisher)
{
    MQTTClient first, again;
    int present = -1;
    check("a session begins", connect_as(&first, named("session"), 0, NULL, &present) == 0 && present == 0);
    subscribe_to(first, named("waiting"), 2);
    say_goodbye(&first);
    publish_to(publisher, named("waiting"), "one", 3, 1, 0);
    publish_to(publisher, named("waiting"), "two", 3, 2, 0);
    /* MQTT 3.1 has no such flag, and this library does not hand on that of MQTT 5. */
    check("it is there again", connect_as(&again, named("session"), 0, NULL, &present) == 0 && (version != 4 || present == 1));
    check("and what has come meanwhile", receives(again, "one", 0) && receives(again, "two", 0));
    say_goodbye(&again);
}

static void polite_will(MQTTClient client)
{
    MQTTClient polite;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    will.topicName = named("will");
    will.message = "unexpected";
    will.qos = 1;
    subscribe_to(client, named("will"), 1);
    check("connected with a will", connect_as(&polite, named("polite"), 1, &will, NULL) == 0);
    say_goodbye(&polite);
    publish_to(client, named("will"), "last", 4, 1, 0);
    check("no will after DISCONNECT", receives(client, "last", 0));
}

static void user_properties(MQTTClient client)
{
    MQTTClient_message message = MQTTClient_message_initializer;
    MQTTProperty user = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
    MQTTProperty content = {.identifier = MQTTPROPERTY_CODE_CONTENT_TYPE};
    MQTTProperty alias = {.identifier = MQTTPROPERTY_CODE_TOPIC_ALIAS, .value.integer2 = 1};
    user.value.data = (MQTTLenString){1, "k"};
    user.value.value = (MQTTLenString){1, "v"};
    content.value.data = (MQTTLenString){4, "text"};
    MQTTProperties_add(&message.properties, &user);
    MQTTProperties_add(&message.properties, &content);
    MQTTProperties_add(&message.properties, &alias);
    message.payload = "x";
    message.payloadlen = 1;
    message.qos = 1;
    subscribe_to(client, named("properties"), 1);
    for (int i = 0; i < 2; i++) {
        MQTTClient_deliveryToken token;
        MQTTResponse_free(MQTTClient_publishMessage5(client, i == 0 ? named("properties") : "", &message, &token));
        MQTTClient_waitForCompletion(client, token, PATIENCE_MS);
        MQTTClient_message *got = receive(client, PATIENCE_MS);
        MQTTProperty *value = got ? MQTTProperties_getProperty(&got->properties, MQTTPROPERTY_CODE_USER_PROPERTY) : NULL;
        check("user properties, and a topic alias", value && value->value.value.len == 1 && value->value.value.data[0] == 'v'
            && MQTTProperties_hasProperty(&got->properties, MQTTPROPERTY_CODE_CONTENT_TYPE));
        MQTTClient_freeMessage(&got);
    }
    MQTTProperties_free(&message.properties);
}

int main(int argc, char **argv)
{
    MQTTClient client;
    int present;
    uri = argv[1];
    version = atoi(argv[2]);
    tag = argv[3];
    check("connected", connect_as(&client, named("main"), 1, NULL, &present) == 0);
    qos_in_order(client);
    large(client);
    retained(client);
    session(client);
    polite_will(client);
    if (version == 5) user_properties(client);
    say_goodbye(&client);
    return 0;
}
