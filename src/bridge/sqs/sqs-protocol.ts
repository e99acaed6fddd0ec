/** One way to write requests and answers; all of them ask for the same actions. */
import type { HttpRequest } from './http-request.js';
import type { SqsOutput } from './sqs-call.js';
import type { SqsError } from './sqs-error.js';
import type { InputFields } from './sqs-input.js';

export interface ProtocolRequest {
  readonly action: string;
  readonly fields: InputFields;
}

export interface SqsProtocol {
  /** @throws SqsError */
  decode(request: HttpRequest): ProtocolRequest;
  readonly contentType: string;
  encode(action: string, output: SqsOutput, requestId: string): string;
  encodeError(error: SqsError, requestId: string): string;
}
