/**
 * Decodes every packet of an accepted client that is not on the fast path. A validator walks the bytes first and refuses whatever
 * a clause refuses; only then mqtt-packet decodes the fields; what it loses (the order of user properties) comes from the
 * validator's walk. Nothing that is returned keeps the frame alive.
 */
import type { ISubscription } from 'mqtt-packet';
import type {
  AuthPacket,
  ConnectPacket,
  DisconnectPacket,
  InboundControlPacket,
  PingreqPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubscribePacket,
} from './control-packet.js';
import { NO_USER_PROPERTIES } from './control-properties.js';
import { expectControlPacket } from './control-validator.js';
import { validateAuth, validateDisconnect, validatePingreq } from './disconnect-validator.js';
import { PacketParser } from './packet-parser.js';
import { DISCONNECT, PINGREQ, type ProtocolVersion, SUBSCRIBE, UNSUBSCRIBE } from './packet-type.js';
import { validateSubscribe, validateUnsubscribe } from './subscribe-validator.js';

const PARSERS = { 3: new PacketParser(3), 4: new PacketParser(4), 5: new PacketParser(5) } as const;

const PINGREQ_PACKET: PingreqPacket = Object.freeze({ type: 'pingreq' });
const NORMAL_DISCONNECT: DisconnectPacket = Object.freeze({
  type: 'disconnect',
  reasonCode: 0x00,
  sessionExpirySeconds: undefined,
  reasonString: undefined,
  userProperties: NO_USER_PROPERTIES,
});

/**
 * Decodes any later packet, other than PUBLISH and its acknowledgements.
 * @param frame one whole packet in one piece, fixed header included
 * @param maximumFilters topic filters that one SUBSCRIBE or UNSUBSCRIBE may have; more are refused with 0x97
 * @throws MalformedPacket or ProtocolViolation with the clause that is broken
 */
export function decodeControlPacket(
  frame: Buffer,
  protocolVersion: ProtocolVersion,
  maximumFilters = Number.POSITIVE_INFINITY,
): Exclude<InboundControlPacket, ConnectPacket> {
  switch (expectControlPacket(frame, protocolVersion)) {
    case SUBSCRIBE:
      return decodeSubscribe(frame, protocolVersion, maximumFilters);
    case UNSUBSCRIBE:
      return decodeUnsubscribe(frame, protocolVersion, maximumFilters);
    case PINGREQ:
      validatePingreq(frame);
      return PINGREQ_PACKET;
    case DISCONNECT:
      return decodeDisconnect(frame, protocolVersion);
    default:
      return decodeAuth(frame, protocolVersion);
  }
}

function decodeSubscribe(frame: Buffer, version: ProtocolVersion, maximumFilters: number): SubscribePacket {
  const properties = validateSubscribe(frame, version, maximumFilters);
  const packet = PARSERS[version].parse(withoutDup(frame), 'subscribe');
  return {
    type: 'subscribe',
    packetId: packet.messageId as number,
    subscriptions: packet.subscriptions.map(buildSubscription),
    subscriptionIdentifier: packet.properties?.subscriptionIdentifier ?? 0,
    userProperties: properties?.userProperties ?? NO_USER_PROPERTIES,
  };
}

function buildSubscription(subscription: ISubscription): SubscriptionRequest {
  return {
    filter: subscription.topic,
    qos: subscription.qos,
    noLocal: subscription.nl === true,
    retainAsPublished: subscription.rap === true,
    retainHandling: (subscription.rh ?? 0) as 0 | 1 | 2,
  };
}

function decodeUnsubscribe(frame: Buffer, version: ProtocolVersion, maximumFilters: number): UnsubscribePacket {
  const properties = validateUnsubscribe(frame, version, maximumFilters);
  const packet = PARSERS[version].parse(withoutDup(frame), 'unsubscribe');
  return {
    type: 'unsubscribe',
    packetId: packet.messageId as number,
    filters: packet.unsubscriptions,
    userProperties: properties?.userProperties ?? NO_USER_PROPERTIES,
  };
}

function decodeDisconnect(frame: Buffer, version: ProtocolVersion): DisconnectPacket {
  const properties = validateDisconnect(frame, version);
  // In MQTT 3, and mostly in MQTT 5, there is nothing to decode.
  if (frame.length === 2) return NORMAL_DISCONNECT;
  const packet = PARSERS[version].parse(frame, 'disconnect');
  return {
    type: 'disconnect',
    reasonCode: packet.reasonCode ?? 0x00,
    sessionExpirySeconds: packet.properties?.sessionExpiryInterval,
    reasonString: packet.properties?.reasonString,
    userProperties: properties?.userProperties ?? NO_USER_PROPERTIES,
  };
}

function decodeAuth(frame: Buffer, version: ProtocolVersion): AuthPacket {
  const properties = validateAuth(frame, version);
  const packet = PARSERS[version].parse(frame, 'auth');
  return {
    type: 'auth',
    reasonCode: packet.reasonCode,
    authenticationMethod: packet.properties?.authenticationMethod,
    authenticationData: ownCopy(packet.properties?.authenticationData),
    reasonString: packet.properties?.reasonString,
    userProperties: properties.userProperties,
  };
}

// mqtt-packet refuses the DUP flag that a 3.1 client may set here. The frame is not ours to write to.
function withoutDup(frame: Buffer): Buffer {
  const flags = frame[0] as number;
  if ((flags & 0x08) === 0) return frame;
  const copy = Buffer.from(frame);
  copy[0] = flags & ~0x08;
  return copy;
}

// mqtt-packet returns views, which would keep the whole received chunk alive, or change when it is used again.
function ownCopy(view: Buffer | undefined): Buffer | undefined {
  return view === undefined ? undefined : Buffer.from(view);
}
