/**
 * What a request is answered with that cannot be served: a problem document (RFC 9457). `code` is stable and may be matched
 * on; `detail` is for people, and says what to change.
 */
import { STATUS_CODES } from 'node:http';
import {
  FileNotWritten,
  FileUnusable,
  InvalidName,
  InvalidPassword,
  InvalidRole,
  NotAdministered,
  RoleInUse,
  RoleNotFound,
  TooManyChanges,
  UserNotFound,
} from '../auth/administration/administration-errors.js';
import { MillraceError, StoreClosed, StoreUnavailable } from '../core/errors.js';
import {
  InvalidQueueOption,
  InvalidTraceQuery,
  NoHistory,
  QueueNotFound,
  RedriveRunning,
} from '../queues/queue-errors.js';

export type ProblemCode =
  | 'bad-request'
  | 'invalid-json'
  | 'invalid-parameter'
  | 'invalid-body'
  | 'unauthorized'
  | 'host-not-allowed'
  | 'origin-not-allowed'
  | 'admin-off'
  | 'not-found'
  | 'queue-not-found'
  | 'redrive-not-found'
  | 'no-history'
  | 'user-not-found'
  | 'role-not-found'
  | 'role-in-use'
  | 'not-administered'
  | 'file-unusable'
  | 'file-not-written'
  | 'too-many-changes'
  | 'ban-not-found'
  | 'ban-configured'
  | 'invalid-ban'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'redrive-running'
  | 'redrive-not-running'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'headers-too-large'
  | 'internal-error'
  | 'starting'
  | 'stopping'
  | 'storage-failing'
  | 'too-many-searches'
  | 'not-stored';

export class Problem extends MillraceError {
  readonly code: ProblemCode;
  readonly status: number;
  /** Header fields that belong to the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** RFC 9457, section 3; without a type of its own, the title is that of the status. */
  get document(): object {
    const { status, code } = this;
    return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail: this.message };
  }
}

/** What a client is told of an error. @returns undefined if it is none of those that a request can cause */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof QueueNotFound) return new Problem(404, 'queue-not-found', error.message);
  if (error instanceof RedriveRunning) return new Problem(409, 'redrive-running', error.message);
  if (error instanceof InvalidQueueOption) return new Problem(422, 'invalid-body', error.message);
  if (error instanceof NoHistory) {
    const setting = `queues.${error.queue}.history`;
    return new Problem(409, 'no-history', `The queue ${error.queue} keeps no history: set ${setting}, such as 3d`);
  }
  if (error instanceof InvalidTraceQuery) return new Problem(400, 'invalid-parameter', error.message);
  if (error instanceof StoreClosed) return new Problem(503, 'stopping', 'The broker is stopping');
  if (error instanceof StoreUnavailable) return new Problem(503, 'storage-failing', error.message);
  return problemOfFiles(error);
}

/** Of users and roles. */
function problemOfFiles(error: unknown): Problem | undefined {
  if (error instanceof UserNotFound) return new Problem(404, 'user-not-found', error.message);
  if (error instanceof RoleNotFound) return new Problem(404, 'role-not-found', error.message);
  if (error instanceof RoleInUse) return new Problem(409, 'role-in-use', error.message);
  if (error instanceof InvalidName) return new Problem(400, 'invalid-parameter', error.message);
  if (error instanceof InvalidPassword || error instanceof InvalidRole) {
    return new Problem(422, 'invalid-body', error.message);
  }
  if (error instanceof NotAdministered) return new Problem(409, 'not-administered', error.message);
  if (error instanceof FileUnusable) return new Problem(409, 'file-unusable', error.message);
  if (error instanceof FileNotWritten) {
    return new Problem(error.isLasting ? 409 : 503, 'file-not-written', error.message);
  }
  if (error instanceof TooManyChanges) {
    return new Problem(503, 'too-many-changes', error.message, { 'retry-after': '1' });
  }
  return undefined;
}
