/*
 * Eclipse Paho for C with its persistence on files: what one process has sent and not completed, a later one completes.
 * Usage: paho_c_persistence <server URI> <MQTT version: 3, 4 or 5> <client identifier> <topic> <folder> send|complete
 */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define COUNT 50

static int version;

static int connect_with(MQTTClient client)
{
    if (version == 5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        MQTTProperties properties = MQTTProperties_initializer;
        MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, .value.integer4 = 300};
        MQTTProperties_add(&properties, &expiry);
        options.cleanstart = 0;
        options.maxInflightMessages = COUNT;
        MQTTResponse response = MQTTClient_connect5(client, &options, &properties, NULL);
        int code = response.reasonCode;
        MQTTProperties_free(&properties);
        MQTTResponse_free(response);
        return code;
    }
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.MQTTVersion = version;
    options.cleansession = 0;
    options.maxInflightMessages = COUNT;
    return MQTTClient_connect(client, &options);
}

static int send_all(MQTTClient client, const char *topic)
{
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        MQTTClient_message message = MQTTClient_message_initializer;
        message.payload = text;
        message.payloadlen = snprintf(text, sizeof text, "%d", i);
        message.qos = 2;
        int code;
        if (version == 5) {
            MQTTResponse response = MQTTClient_publishMessage5(client, topic, &message, NULL);
            code = response.reasonCode;
            MQTTResponse_free(response);
        } else code = MQTTClient_publishMessage(client, topic, &message, NULL);
        if (code != MQTTCLIENT_SUCCESS) return code;
    }
    return MQTTCLIENT_SUCCESS;
}

static int pending(MQTTClient client)
{
    MQTTClient_deliveryToken *tokens = NULL;
    int count = 0;
    MQTTClient_getPendingDeliveryTokens(client, &tokens);
    if (tokens == NULL) return 0;
    while (tokens[count] != -1) count++;
    MQTTClient_free(tokens);
    return count;
}

static void complete_all(MQTTClient client)
{
    MQTTClient_deliveryToken *tokens = NULL;
    MQTTClient_getPendingDeliveryTokens(client, &tokens);
    if (tokens == NULL) return;
    for (int i = 0; tokens[i] != -1; i++) MQTTClient_waitForCompletion(client, tokens[i], PATIENCE_MS);
    MQTTClient_free(tokens);
}

int main(int argc, char **argv)
{
    MQTTClient client;
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    version = atoi(argv[2]);
    create.MQTTVersion = version;
    MQTTClient_createWithOptions(&client, argv[1], argv[3], MQTTCLIENT_PERSISTENCE_DEFAULT, argv[5], &create);
    int code = connect_with(client);
    if (code != 0) {
        printf("connect failed with %d\n", code);
        return 1;
    }
    if (strcmp(argv[6], "send") == 0) {
        code = send_all(client, argv[4]);
        printf("sent with %d, %d pending\n", code, pending(client));
        fflush(stdout);
        _exit(code == MQTTCLIENT_SUCCESS ? 0 : 1); /* without a word to the broker */
    }
    int before = pending(client);
    complete_all(client);
    printf("%d pending, then %d\n", before, pending(client));
    if (version == 5) MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL);
    else MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
    return 0;
}
