/**
 * CONNECT (section 3.1): from the decoded packet to a session with a connection attached, or to a refusal. Refusals
 * carry MQTT 5 reason codes; the encoder turns them into return codes for MQTT 3.
 */
import type { AuthenticationMethod } from '../auth/authentication-method.js';
import type { RefusedConnect } from '../auth/authenticator.js';
import type { Identity } from '../auth/identity.js';
import type { ConnackFields, ConnectPacket } from '../codec/control-packet.js';
import { buildMessage } from '../codec/message-builder.js';
import { ReasonCode } from '../core/reason-code.js';
import { NEVER_EXPIRES } from '../sessions/session.js';
import type { OpenedSession } from '../sessions/session-registry.js';
import type { Will } from '../sessions/will.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { BrokerContext } from './broker-context.js';
import type { Refusal } from './refusal.js';
import { isReservedFrom } from './reserved-topic.js';
import { ownerOf } from './session-access.js';

/** What a client asked for, after our limits. */
export interface ConnectTerms {
  readonly clientId: string;
  readonly isAssignedId: boolean;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly sessionExpirySeconds: number;
  readonly will: Will | null;
}

/** An authentication exchange that went well. */
export interface CompletedExchange {
  readonly identity: Identity;
  readonly method: AuthenticationMethod;
  /** The last word to the client. */
  readonly data: Buffer | undefined;
}

const LARGEST_RECEIVE_MAXIMUM = 65_535;

/** Settles what holds for the connection, before anybody is asked who the client is. */
export function settleTerms(context: BrokerContext, packet: ConnectPacket): ConnectTerms | Refusal {
  const method = packet.authenticationMethod;
  if (method !== undefined && !context.authenticationMethods.has(method)) {
    // [MQTT-4.12.0-1]
    return {
      reasonCode: ReasonCode.BadAuthenticationMethod,
      message: `authentication method "${method}" is not supported`,
    };
  }
  const isAssignedId = packet.clientId === '';
  const refusedId = isAssignedId ? refusalOfNoId(packet) : undefined;
  if (refusedId !== undefined) return { reasonCode: ReasonCode.ClientIdentifierNotValid, message: refusedId };
  const clientId = isAssignedId ? context.newClientId() : packet.clientId;
  const will = willOf(context, packet, clientId);
  if (will !== null && 'reasonCode' in will) return will;
  return {
    clientId,
    isAssignedId,
    cleanStart: packet.cleanStart,
    keepAliveSeconds: keepAliveOf(context, packet),
    sessionExpirySeconds: sessionExpiryOf(context, packet),
    will,
  };
}

/** The refusal that follows from the authenticator's answer. */
export function refusalOf({ why, message, detail }: RefusedConnect): Refusal {
  return { reasonCode: REFUSALS[why], message, ...(detail === undefined ? {} : { detail }) };
}

const REFUSALS = {
  unidentified: ReasonCode.BadUserNameOrPassword,
  forbidden: ReasonCode.NotAuthorized,
  busy: ReasonCode.ServerBusy,
  unavailable: ReasonCode.ServerUnavailable,
} as const;

/** Why somebody who has shown who he is may not connect as he wants to; null if he may. */
export function refusalOfRights(
  { access }: BrokerContext,
  { clientId, will }: ConnectTerms,
  identity: Identity,
): Refusal | null {
  if (will === null) return null;
  const client = access.accessOf({ ...ownerOf(identity), clientId });
  if (client === null || client.mayPublish(will.message)) return null;
  const { topic } = will.message;
  return { reasonCode: ReasonCode.NotAuthorized, message: `Will Topic: this client may not publish to ${topic}` };
}

/** A session that outlives its connection costs on: there is not one more of those than may be. */
export function refusalOfSession({ sessions, limits }: BrokerContext, terms: ConnectTerms): Refusal | null {
  const { clientId, sessionExpirySeconds } = terms;
  if (sessionExpirySeconds === 0 || sessions.size < limits.maximumSessions) return null;
  if (sessions.find(clientId) !== undefined) return null;
  return { reasonCode: ReasonCode.QuotaExceeded, message: 'there are as many sessions as there may be' };
}

/**
 * Opens the session. A connection that has it is closed first [MQTT-3.1.4-3]. Somebody else's session ends, as with Clean
 * Start: whatever was put into it was for another user.
 */
export function openSession(context: BrokerContext, terms: ConnectTerms, identity: Identity): OpenedSession {
  const { access, connections, sessions } = context;
  const { clientId, sessionExpirySeconds } = terms;
  connections.get(clientId)?.close('session-taken-over', ReasonCode.SessionTakenOver);
  const owner = ownerOf(identity);
  const earlier = sessions.find(clientId)?.owner;
  const isAnothers = !access.isOpen && earlier !== undefined && earlier.username !== owner.username;
  const will = terms.will === null ? null : { ...terms.will, owner };
  return sessions.open(clientId, terms.cleanStart || isAnothers, sessionExpirySeconds, will, owner);
}

/**
 * CONNACK for an accepted client: what differs from the defaults, or from what it asked for (section 3.2.2.3).
 * @param exchange null if the client has named no authentication method
 */
export function acceptance(
  context: BrokerContext,
  packet: ConnectPacket,
  terms: ConnectTerms,
  isPresent: boolean,
  exchange: CompletedExchange | null,
): ConnackFields {
  if (packet.protocolVersion !== 5) return { sessionPresent: isPresent, reasonCode: ReasonCode.Success };
  const { limits } = context;
  const requestedExpiry = packet.sessionExpirySeconds ?? 0;
  return {
    sessionPresent: isPresent,
    reasonCode: ReasonCode.Success,
    sessionExpirySeconds: terms.sessionExpirySeconds === requestedExpiry ? undefined : terms.sessionExpirySeconds,
    receiveMaximum: limits.receiveMaximum === LARGEST_RECEIVE_MAXIMUM ? undefined : limits.receiveMaximum,
    maximumPacketSize: limits.maximumPacketSize,
    assignedClientId: terms.isAssignedId ? terms.clientId : undefined, // [MQTT-3.2.2-16]
    topicAliasMaximum: limits.topicAliasMaximum === 0 ? undefined : limits.topicAliasMaximum,
    serverKeepAliveSeconds: terms.keepAliveSeconds === packet.keepAliveSeconds ? undefined : terms.keepAliveSeconds,
    // [MQTT-3.1.2-28]
    responseInformation: packet.requestResponseInformation ? responseInformationOf(terms.clientId) : undefined,
    // [MQTT-4.12.0-5], and neither without a method [MQTT-4.12.0-6]
    authenticationMethod: exchange?.method.name,
    authenticationData: exchange?.data,
  };
}

/** What the client makes Response Topics of: without wildcards, which they must not have [MQTT-3.3.2-14]. */
function responseInformationOf(clientId: string): string | undefined {
  return /[+#]/.test(clientId) ? undefined : `response/${clientId}`;
}

function refusalOfNoId({ protocolVersion, cleanStart }: ConnectPacket): string | undefined {
  // MQTT 3.1, section 3.1: an identifier has 1 to 23 characters. More do no harm, none is refused with 0x02.
  if (protocolVersion === 3) return 'MQTT 3.1 needs a client identifier';
  // [MQTT-3.1.3-8] of MQTT 3.1.1
  if (protocolVersion === 4 && !cleanStart) return 'an empty client identifier needs a clean session';
  return undefined;
}

function keepAliveOf(context: BrokerContext, packet: ConnectPacket): number {
  const maximum = context.limits.keepAliveMaximumSeconds;
  // An MQTT 3 client cannot be told another value, and would be cut off while keeping its own.
  if (maximum === 0 || packet.protocolVersion !== 5) return packet.keepAliveSeconds;
  return packet.keepAliveSeconds === 0 ? maximum : Math.min(maximum, packet.keepAliveSeconds);
}

function sessionExpiryOf(context: BrokerContext, packet: ConnectPacket): number {
  const { limits } = context;
  if (packet.protocolVersion !== 5) return packet.cleanStart ? 0 : limits.mqtt3SessionExpirySeconds;
  const requested = packet.sessionExpirySeconds ?? 0;
  return limits.sessionExpiryMaximumSeconds === NEVER_EXPIRES
    ? requested
    : Math.min(requested, limits.sessionExpiryMaximumSeconds);
}

function willOf(context: BrokerContext, packet: ConnectPacket, clientId: string): Will | Refusal | null {
  const fields = packet.will;
  if (fields === undefined) return null;
  const invalid = validateTopicName(fields.topic, context.limits.maximumTopicLevels, context.limits.maximumTopicLength);
  if (invalid !== undefined) return { reasonCode: ReasonCode.TopicNameInvalid, message: `Will Topic: ${invalid}` };
  if (isReservedFrom(fields.topic, clientId)) {
    return { reasonCode: ReasonCode.NotAuthorized, message: `Will Topic: ${fields.topic} is not this client's` };
  }
  const message = buildMessage({
    topic: fields.topic,
    payload: fields.payload,
    qos: fields.qos,
    retain: fields.retain,
    properties: fields.publishProperties,
    publisherId: clientId,
    nowMs: context.clock.now(),
  });
  return { message, delaySeconds: fields.delaySeconds };
}
