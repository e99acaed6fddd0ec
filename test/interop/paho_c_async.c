/*
 * Eclipse Paho for C against the broker: the asynchronous API, which is a library of its own.
 * Usage: paho_c_async <server URI> <MQTT version: 3, 4 or 5> <tag>. Prints one line for each check; exits with 1 at the first failure.
 */
#include <MQTTAsync.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define COUNT 300

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

static volatile int connections, arrivals;

static void on_connected(void *context, char *cause) { connections++; }

static int on_arrived(void *context, char *topic, int length, MQTTAsync_message *message)
{
    arrivals++;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static int comes(volatile int *count, int wanted)
{
    for (int i = 0; i < PATIENCE_MS / 10 && *count < wanted; i++) usleep(10000);
    return *count == wanted;
}

/* The asynchronous API keeps what it is given while it is not connected, and sends it then. */
static void asynchronous(void)
{
    MQTTAsync client;
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    create.MQTTVersion = version;
    create.sendWhileDisconnected = 1;
    create.allowDisconnectedSendAtAnyTime = 1;
    create.maxBufferedMessages = COUNT;
    MQTTAsync_createWithOptions(&client, uri, named("async"), MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
    MQTTAsync_setCallbacks(client, NULL, NULL, on_arrived, NULL);
    MQTTAsync_setConnected(client, NULL, on_connected);
    if (version == 5) options = options5;
    else options.MQTTVersion = version;
    options.automaticReconnect = 1;
    options.minRetryInterval = 1;
    check("connects", MQTTAsync_connect(client, &options) == MQTTASYNC_SUCCESS && comes(&connections, 1));
    MQTTAsync_subscribe(client, named("async"), 2, &response);
    check("subscribes", MQTTAsync_waitForCompletion(client, response.token, PATIENCE_MS) == MQTTASYNC_SUCCESS);
    for (int i = 0; i < COUNT; i++) MQTTAsync_send(client, named("async"), 1, "x", i % 3, 0, NULL);
    check("many messages in flight", comes(&arrivals, COUNT));
    MQTTAsync_disconnectOptions disconnect = MQTTAsync_disconnectOptions_initializer;
    if (version == 5) disconnect = (MQTTAsync_disconnectOptions)MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnect(client, &disconnect);
    for (int i = 0; i < 500 && MQTTAsync_isConnected(client); i++) usleep(10000);
    for (int i = 0; i < 50; i++) MQTTAsync_send(client, named("offline"), 1, "x", 1, 0, NULL);
    check("connects again", MQTTAsync_connect(client, &options) == MQTTASYNC_SUCCESS && comes(&connections, 2));
    MQTTAsync_subscribe(client, named("async"), 2, &response);
    MQTTAsync_waitForCompletion(client, response.token, PATIENCE_MS);
    MQTTAsync_send(client, named("async"), 4, "last", 2, 0, NULL);
    check("and goes on", comes(&arrivals, COUNT + 1));
    MQTTAsync_destroy(&client);
}

int main(int argc, char **argv)
{
    uri = argv[1];
    version = atoi(argv[2]);
    tag = argv[3];
    asynchronous();
    return 0;
}
