/**
 * The control packets that are not on the fast path, as values. What a client sends is decoded into the first group by
 * `decodeControlPacket`, what the broker sends is built from the second group by the `encode…` functions beside it.
 * Absent properties are `undefined`; user properties are a flat list, so that order and repeats survive
 * [MQTT-3.3.2-18].
 */
import type { Qos } from '../core/message.js';
import type { ProtocolVersion } from './packet-type.js';

/** Name and value, in the order in which they were sent. */
export type UserProperties = readonly (readonly [name: string, value: string])[];

export interface WillFields {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Seconds (section 3.1.3.2.2); 0 for MQTT 3. */
  readonly delaySeconds: number;
  /** Raw property bytes that go into the will's PUBLISH: all but the Will Delay Interval. Empty for MQTT 3. */
  readonly publishProperties: Buffer;
}

export interface ConnectPacket {
  readonly type: 'connect';
  readonly protocolVersion: ProtocolVersion;
  /** The high bit of the protocol level was set: a bridge of mosquitto's kind. */
  readonly isBridge: boolean;
  readonly clientId: string;
  /** Clean Session (3.x) or Clean Start (5). */
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: WillFields | undefined;
  /** Seconds; `0xffffffff` never expires. `undefined` if absent or MQTT 3. */
  readonly sessionExpirySeconds: number | undefined;
  readonly receiveMaximum: number | undefined;
  readonly maximumPacketSize: number | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly requestResponseInformation: boolean;
  /** Default true (section 3.1.2.11.7). */
  readonly requestProblemInformation: boolean;
  readonly userProperties: UserProperties;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Buffer | undefined;
}

export interface SubscriptionRequest {
  /** A well-formed string of any length; the rules of section 4.7 are checked by the broker, which answers in SUBACK. */
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  readonly type: 'subscribe';
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  /** 1 to 268,435,455, or 0 for none. */
  readonly subscriptionIdentifier: number;
  readonly userProperties: UserProperties;
}

export interface UnsubscribePacket {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  /** Well-formed strings; the rules of section 4.7 are checked by the broker. */
  readonly filters: readonly string[];
  readonly userProperties: UserProperties;
}

export interface PingreqPacket {
  readonly type: 'pingreq';
}

export interface DisconnectPacket {
  readonly type: 'disconnect';
  /** 0x00 for MQTT 3. */
  readonly reasonCode: number;
  readonly sessionExpirySeconds: number | undefined;
  readonly reasonString: string | undefined;
  readonly userProperties: UserProperties;
}

export interface AuthPacket {
  readonly type: 'auth';
  readonly reasonCode: number;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Buffer | undefined;
  readonly reasonString: string | undefined;
  readonly userProperties: UserProperties;
}

/** What a client may send, besides PUBLISH and the four acknowledgements. */
export type InboundControlPacket =
  | ConnectPacket
  | SubscribePacket
  | UnsubscribePacket
  | PingreqPacket
  | DisconnectPacket
  | AuthPacket;

/** User properties are not offered: nothing in the broker sets them, and mqtt-packet would not keep their order. */
export interface ConnackFields {
  readonly sessionPresent: boolean;
  /** MQTT 5 reason code; the encoder turns it into a return code of section 3.2.2.3 for MQTT 3. */
  readonly reasonCode: number;
  readonly sessionExpirySeconds?: number | undefined;
  readonly receiveMaximum?: number | undefined;
  readonly maximumQos?: 0 | 1 | undefined;
  readonly retainAvailable?: boolean | undefined;
  readonly maximumPacketSize?: number | undefined;
  readonly assignedClientId?: string | undefined;
  readonly topicAliasMaximum?: number | undefined;
  readonly reasonString?: string | undefined;
  readonly wildcardSubscriptionAvailable?: boolean | undefined;
  readonly subscriptionIdentifierAvailable?: boolean | undefined;
  readonly sharedSubscriptionAvailable?: boolean | undefined;
  readonly serverKeepAliveSeconds?: number | undefined;
  readonly responseInformation?: string | undefined;
  readonly serverReference?: string | undefined;
  readonly authenticationMethod?: string | undefined;
  readonly authenticationData?: Buffer | undefined;
}

export interface SubackFields {
  readonly packetId: number;
  /** One MQTT 5 reason code for each filter; the encoder turns every failure into 0x80 for MQTT 3. */
  readonly reasonCodes: readonly number[];
  readonly reasonString?: string | undefined;
}

/** The same shape; MQTT 3 has no codes in UNSUBACK and the encoder leaves them out. */
export type UnsubackFields = SubackFields;

export interface DisconnectFields {
  readonly reasonCode: number;
  readonly reasonString?: string | undefined;
  readonly serverReference?: string | undefined;
}

export interface AuthFields {
  readonly reasonCode: number;
  readonly authenticationMethod: string;
  readonly authenticationData?: Buffer | undefined;
  readonly reasonString?: string | undefined;
}
