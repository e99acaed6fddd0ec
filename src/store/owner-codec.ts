/** Whose a session or a will is, as it stands in their records. */
import { DamagedRecord } from '../core/errors.js';
import type { StoredOwner, StoredRule } from './catalogue-records.js';
import { RecordFields } from './record-fields.js';

/** What is no owner is damaged: it must not be taken for a record of before there were any. @throws DamagedRecord */
export function decodeOwner(value: unknown): StoredOwner | undefined {
  if (value === undefined) return undefined;
  const fields = new RecordFields(value);
  return {
    username: fields.any('username') === null ? null : fields.string('username'),
    roles: list(fields.any('roles')).map(text),
    rules: list(fields.any('rules')).map(decodeRule),
  };
}

function decodeRule(value: unknown): StoredRule {
  const fields = new RecordFields(value);
  const effect = fields.string('effect');
  const action = fields.string('action');
  if (effect !== 'allow' && effect !== 'deny') throw new DamagedRecord('A rule neither allows nor denies');
  if (action !== 'publish' && action !== 'subscribe' && action !== 'all') {
    throw new DamagedRecord('A rule is about nothing that is known');
  }
  return { effect, action, filter: fields.string('filter') };
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new DamagedRecord('An owner is incomplete');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new DamagedRecord('A role is no text');
  return value;
}
