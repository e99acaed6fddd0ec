/**
 * MQTT 5 reason codes told to an MQTT 3 client (sections 3.2.2.3 and 3.9.3 of 3.1.1). The broker decides in MQTT 5
 * codes; this is the one place where they lose their detail.
 */
import { ReasonCode as code } from '../core/reason-code.js';

/**
 *   CONNACK of MQTT 3           from these reason codes
 *   0  accepted                 0x00
 *   1  unacceptable version     0x84
 *   2  identifier rejected      0x85
 *   3  server unavailable       0x80 0x83 0x88 0x89 0x97 0x9C 0x9D 0x9F     try again, or elsewhere
 *   4  bad user name, password  0x86
 *   5  not authorized           0x87 0x8A 0x8C, and a will that is refused: 0x90 0x99 0x9A 0x9B
 *   no CONNACK, just a close    0x81 0x82 0x95: no return code fits [MQTT-3.2.2-6]
 */
const CONNECT_RETURN_CODES = new Map<number, number>([
  [code.Success, 0],
  [code.UnsupportedProtocolVersion, 1],
  [code.ClientIdentifierNotValid, 2],
  [code.UnspecifiedError, 3],
  [code.ImplementationSpecificError, 3],
  [code.ServerUnavailable, 3],
  [code.ServerBusy, 3],
  [code.QuotaExceeded, 3],
  [code.UseAnotherServer, 3],
  [code.ServerMoved, 3],
  [code.ConnectionRateExceeded, 3],
  [code.BadUserNameOrPassword, 4],
  [code.NotAuthorized, 5],
  [code.Banned, 5],
  [code.BadAuthenticationMethod, 5],
  [code.TopicNameInvalid, 5],
  [code.PayloadFormatInvalid, 5],
  [code.RetainNotSupported, 5],
  [code.QosNotSupported, 5],
]);

/** @returns undefined if the connection closes without a CONNACK */
export function findConnectReturnCode(reasonCode: number): number | undefined {
  return CONNECT_RETURN_CODES.get(reasonCode);
}

const SUBSCRIBE_FAILURE = 0x80;

/** The granted QoS as it is; 3.1.1 has one failure only [MQTT-3.9.3-2]. */
export function subscribeReturnCode(reasonCode: number): number {
  return Math.min(reasonCode, SUBSCRIBE_FAILURE);
}
