/**
 * Sees the properties of one control packet while the walker goes over them: checks the values that a clause limits,
 * and keeps what mqtt-packet loses - the order and repeats of user properties, and where the Will Delay Interval stands.
 */
import { ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { UserProperties } from './control-packet.js';
import * as property from './property-walker.js';
import { readUtf8 } from './utf8.js';

const PLUS = 0x2b;
const HASH = 0x23;

export const NO_USER_PROPERTIES: UserProperties = Object.freeze([]);

export class ControlProperties implements property.PropertyVisitor {
  #userProperties: [name: string, value: string][] | undefined;
  #hasSubscriptionIdentifier = false;
  #hasAuthenticationMethod = false;
  #hasAuthenticationData = false;
  #willDelaySeconds = 0;
  #willDelayStart = -1;

  /** In the order of the packet [MQTT-3.3.2-18]. */
  get userProperties(): UserProperties {
    return this.#userProperties ?? NO_USER_PROPERTIES;
  }

  get willDelaySeconds(): number {
    return this.#willDelaySeconds;
  }

  /** Where the Will Delay Interval starts (with its identifier, five bytes long), or -1. */
  get willDelayStart(): number {
    return this.#willDelayStart;
  }

  onProperty(id: number, value: number, bytes: Buffer, valueStart: number, valueEnd: number): void {
    switch (id) {
      case property.UserProperty:
        this.#noteUserProperty(bytes, valueStart, valueEnd);
        break;
      case property.ReceiveMaximum:
        if (value === 0) refuse('Receive Maximum is 0 (3.1.2.11.3)');
        break;
      case property.MaximumPacketSize:
        if (value === 0) refuse('Maximum Packet Size is 0 (3.1.2.11.4)');
        break;
      case property.RequestResponseInformation:
        if (value > 1) refuse('Request Response Information is neither 0 nor 1 (3.1.2.11.6)');
        break;
      case property.RequestProblemInformation:
        if (value > 1) refuse('Request Problem Information is neither 0 nor 1 (3.1.2.11.7)');
        break;
      case property.PayloadFormatIndicator:
        if (value > 1) refuse('Payload Format Indicator is neither 0 nor 1 (3.1.3.2.3)');
        break;
      case property.ResponseTopic:
        expectTopicName(bytes, valueStart + 2, valueEnd, 'the Response Topic [MQTT-3.3.2-14]');
        break;
      case property.SubscriptionIdentifier:
        this.#noteSubscriptionIdentifier(value);
        break;
      case property.AuthenticationMethod:
        this.#hasAuthenticationMethod = true;
        break;
      case property.AuthenticationData:
        this.#hasAuthenticationData = true;
        break;
      case property.WillDelayInterval:
        this.#willDelaySeconds = value;
        this.#willDelayStart = valueStart - 1;
        break;
      default:
    }
  }

  /** Section 3.1.2.11.10. @throws ProtocolViolation */
  refuseAuthenticationDataAlone(): void {
    if (this.#hasAuthenticationData && !this.#hasAuthenticationMethod) {
      refuse('Authentication Data without an Authentication Method (3.1.2.11.10)');
    }
  }

  /** Section 3.15.2.2.2. @throws ProtocolViolation */
  expectAuthenticationMethod(): void {
    if (!this.#hasAuthenticationMethod) refuse('AUTH without an Authentication Method (3.15.2.2.2)');
  }

  #noteUserProperty(bytes: Buffer, start: number, end: number): void {
    const nameEnd = start + 2 + (((bytes[start] as number) << 8) | (bytes[start + 1] as number));
    this.#userProperties ??= [];
    this.#userProperties.push([readUtf8(bytes, start + 2, nameEnd), readUtf8(bytes, nameEnd + 2, end)]);
  }

  // The walker lets this one repeat, because it may in a PUBLISH to a client.
  #noteSubscriptionIdentifier(value: number): void {
    if (value === 0) refuse('Subscription Identifier is 0 (3.8.2.1.2)');
    if (this.#hasSubscriptionIdentifier) refuse('Subscription Identifier stands twice (3.8.2.1.2)');
    this.#hasSubscriptionIdentifier = true;
  }
}

/**
 * A topic name that names something: not empty [MQTT-4.7.3-1] and without wildcards [MQTT-4.7.0-1].
 * @param reasonCode 0x90 for the topic that a message goes to (section 3.2.2.2 has it for the will's). For the one that
 *   an answer to it would go to there is only 0x82, as section 3.3.2.1 asks for an empty topic name without an alias.
 * @throws ProtocolViolation
 */
export function expectTopicName(
  bytes: Buffer,
  start: number,
  end: number,
  what: string,
  reasonCode: ReasonCode = ReasonCode.ProtocolError,
): void {
  if (start === end) refuse(`${what} is empty [MQTT-4.7.3-1]`, reasonCode);
  for (let i = start; i < end; i++) {
    if (bytes[i] === PLUS || bytes[i] === HASH) refuse(`${what} contains a wildcard [MQTT-4.7.0-1]`, reasonCode);
  }
}

function refuse(message: string, reasonCode: ReasonCode = ReasonCode.ProtocolError): never {
  throw new ProtocolViolation(reasonCode, message);
}
