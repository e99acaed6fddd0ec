/** A session's record: JSON, since it is small, rarely written, and worth being readable. */
import { DamagedRecord } from '../core/errors.js';
import type { StoredSession } from './catalogue-records.js';
import { decodeOwner } from './owner-codec.js';
import { RecordFields } from './record-fields.js';

const VERSION = 1;

export function encodeSession(session: StoredSession): Buffer {
  const { clientId, number, expirySeconds, disconnectedAtMs, owner } = session;
  const record = { version: VERSION, clientId, number, expirySeconds, disconnectedAtMs, owner };
  return Buffer.from(JSON.stringify(record));
}

/** @throws DamagedRecord */
export function decodeSession(bytes: Buffer): StoredSession {
  const fields = new RecordFields(parse(bytes));
  if (fields.integer('version', 1) !== VERSION) throw new DamagedRecord('A session has a version that is not known');
  const ownStreamId = fields.integer('ownStreamId', 0, 0);
  const session = {
    clientId: fields.string('clientId'),
    number: fields.integer('number', 0),
    expirySeconds: fields.integer('expirySeconds', 0),
    disconnectedAtMs: fields.integer('disconnectedAtMs', 0),
    owner: decodeOwner(fields.any('owner')),
  };
  return ownStreamId === 0 ? session : { ...session, ownStreamId };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new DamagedRecord('A session is no JSON', { cause });
  }
}
