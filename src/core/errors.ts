/**
 * Every error that the broker throws on purpose. `code` is stable and may be matched on; `message` is for people.
 */
import { ReasonCode } from './reason-code.js';

export abstract class MillraceError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A client broke the protocol. The connection ends with `reasonCode` (MQTT 5), or just ends (3.x). */
export class ProtocolViolation extends MillraceError {
  readonly code: string = 'ERR_PROTOCOL_VIOLATION';
  readonly reasonCode: ReasonCode;

  /** @param message what was wrong, with the clause; goes into the log and into the Reason String */
  constructor(reasonCode: ReasonCode, message: string) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

/** The bytes cannot be parsed by the specification's rules: reason code 0x81. */
export class MalformedPacket extends ProtocolViolation {
  override readonly code = 'ERR_MALFORMED_PACKET';

  constructor(message: string) {
    super(ReasonCode.MalformedPacket, message);
  }
}

/** A packet is larger than its receiver takes: reason code 0x95. Thrown before the packet is whole. */
export class OversizedPacket extends ProtocolViolation {
  override readonly code = 'ERR_OVERSIZED_PACKET';
  /** What has arrived of it, from its first byte on; valid while the error is handled. */
  readonly head: Buffer;

  constructor(message: string, head: Buffer) {
    super(ReasonCode.PacketTooLarge, message);
    this.head = head;
  }
}

/**
 * A CONNECT of a protocol name or level that the broker does not speak: reason code 0x84, or return code 0x01 in the
 * form of MQTT 3.1.1 [MQTT-3.1.2-2].
 */
export class UnsupportedProtocol extends ProtocolViolation {
  override readonly code = 'ERR_UNSUPPORTED_PROTOCOL';
  /** The version whose CONNACK such a client can parse. */
  readonly answerVersion: 4 | 5;

  constructor(answerVersion: 4 | 5, message: string) {
    super(ReasonCode.UnsupportedProtocolVersion, message);
    this.answerVersion = answerVersion;
  }
}

/** A call of the in-process API, or an option given to it, makes no sense. */
export class InvalidArgument extends MillraceError {
  readonly code = 'ERR_INVALID_ARGUMENT';
}

/** The broker, or a part of it, is not in a state in which the call is possible. */
export class InvalidState extends MillraceError {
  readonly code = 'ERR_INVALID_STATE';
}

/** A listener cannot be opened. */
export class ListenFailed extends MillraceError {
  readonly code = 'ERR_LISTEN_FAILED';
  /** The listener's name in the configuration. */
  readonly listener: string;

  constructor(message: string, listener: string, options?: ErrorOptions) {
    super(message, options);
    this.listener = listener;
  }
}

/** A proxy has sent a header of the PROXY protocol that cannot be understood. */
export class ProxyHeaderInvalid extends MillraceError {
  readonly code = 'ERR_PROXY_HEADER_INVALID';
}

/** The files of a listener's TLS cannot be read, or do not fit together. */
export class TlsUnusable extends MillraceError {
  readonly code = 'ERR_TLS_UNUSABLE';
}

/** The store is closed, or was never open. */
export class StoreClosed extends MillraceError {
  readonly code = 'ERR_STORE_CLOSED';
}

/** The store is being opened again after a failed write, and the call cannot wait for that. */
export class StoreUnavailable extends MillraceError {
  readonly code = 'ERR_STORE_UNAVAILABLE';
}

/** The store was closed while its writes failed: what was recorded last is not on disk. */
export class StoreNotSettled extends MillraceError {
  readonly code = 'ERR_STORE_NOT_SETTLED';
}

/** A record of the store cannot be read: it is left out. */
export class DamagedRecord extends MillraceError {
  readonly code = 'ERR_DAMAGED_RECORD';
}

/** Another process, or another broker of this one, has the data directory open. */
export class DataDirectoryInUse extends MillraceError {
  readonly code = 'ERR_DATA_DIRECTORY_IN_USE';
}

/** The data directory cannot be made, read or written, or holds what is not ours. */
export class DataDirectoryUnusable extends MillraceError {
  readonly code = 'ERR_DATA_DIRECTORY_UNUSABLE';
}

/** The data directory was written by a newer version. */
export class DataFormatTooNew extends MillraceError {
  readonly code = 'ERR_DATA_FORMAT_TOO_NEW';
  readonly foundFormat: number;
  readonly knownFormat: number;

  constructor(message: string, foundFormat: number, knownFormat: number) {
    super(message);
    this.foundFormat = foundFormat;
    this.knownFormat = knownFormat;
  }
}

/** The database is damaged, and could not be repaired. */
export class StoreDamaged extends MillraceError {
  readonly code = 'ERR_STORE_DAMAGED';
  /** Where the damaged files are, as they were found. */
  readonly location: string;

  constructor(message: string, location: string, options?: ErrorOptions) {
    super(message, options);
    this.location = location;
  }
}
