/**
 * What a client answers to our publishes, and PUBREL for its own (section 4.3). An identifier that is not in use is let
 * pass, since its message may have been dropped meanwhile; an answer that does not fit the message's QoS or state is a
 * protocol error.
 */
import * as PacketType from '../codec/packet-type.js';
import { ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Session } from '../sessions/session.js';
import type { Acknowledger } from './acknowledger.js';

/** @throws ProtocolViolation for an answer that does not fit */
export function handleAcknowledgement(
  session: Session,
  acknowledger: Acknowledger,
  type: number,
  packetId: number,
  reasonCode: number,
): void {
  switch (type) {
    case PacketType.PUBACK:
      if (!session.onPuback(packetId, reasonCode >= 0x80)) checkUnused(session, packetId, 'PUBACK');
      break;
    case PacketType.PUBREC:
      handlePubrec(session, acknowledger, packetId, reasonCode);
      break;
    case PacketType.PUBREL: {
      const ticket = session.release(packetId);
      // [MQTT-4.3.3-11]
      if (ticket !== -1) acknowledger.acknowledge(ticket, PacketType.PUBCOMP, packetId, ReasonCode.Success);
      else {
        const { receivedTicket } = session;
        acknowledger.acknowledge(receivedTicket, PacketType.PUBCOMP, packetId, ReasonCode.PacketIdentifierNotFound);
      }
      break;
    }
    case PacketType.PUBCOMP:
      if (!session.onPubcomp(packetId)) checkUnused(session, packetId, 'PUBCOMP');
  }
}

function handlePubrec(session: Session, acknowledger: Acknowledger, packetId: number, reasonCode: number): void {
  if (reasonCode >= 0x80) {
    // [MQTT-4.4.0-2] the exchange is over: no PUBREL
    if (!session.onPubrecRefusal(packetId)) checkUnused(session, packetId, 'PUBREC');
    return;
  }
  const ticket = session.onPubrec(packetId);
  if (ticket !== -1) {
    acknowledger.acknowledge(ticket, PacketType.PUBREL, packetId, ReasonCode.Success); // [MQTT-4.3.3-4]
    return;
  }
  checkUnused(session, packetId, 'PUBREC');
  acknowledger.acknowledge(0, PacketType.PUBREL, packetId, ReasonCode.PacketIdentifierNotFound);
}

function checkUnused(session: Session, packetId: number, name: string): void {
  if (!session.isInflight(packetId)) return;
  throw new ProtocolViolation(ReasonCode.ProtocolError, `${name} does not fit the QoS or state of message ${packetId}`);
}
