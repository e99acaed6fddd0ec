/** AWS JSON 1.0, as current SDKs speak it: the action in a header, names as they are in the input. */

import { SqsError } from './sqs-error.js';
import type { InputFields } from './sqs-input.js';
import type { SqsProtocol } from './sqs-protocol.js';

const TARGET = /^AmazonSQS\.([A-Za-z]+)$/;

export const jsonProtocol: SqsProtocol = {
  contentType: 'application/x-amz-json-1.0',

  decode({ headers, body }) {
    const target = String(headers['x-amz-target']);
    const action = TARGET.exec(target)?.[1];
    if (action === undefined) throw unknownOperation(target);
    return { action, fields: body.length === 0 ? {} : parse(body) };
  },

  encode(_action, output) {
    return output === null ? '' : JSON.stringify(output);
  },

  encodeError(error) {
    return JSON.stringify({ __type: error.type, message: error.message });
  },
};

export function unknownOperation(name: string): SqsError {
  return new SqsError('UnknownOperationException', `The action ${name.slice(0, 200)} is not valid for this endpoint.`);
}

function parse(body: Buffer): InputFields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new SqsError('SerializationException', 'The request is no JSON.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as InputFields;
  throw new SqsError('SerializationException', 'The request is no JSON object.');
}
