/** Errors of the HTTP listener that concern whoever starts the broker; those of a request are Problems. */
import { ListenFailed, MillraceError } from '../core/errors.js';

/** The address of the HTTP listener cannot be bound. */
export class HttpListenFailed extends ListenFailed {}

/** A file of the administration in the data directory cannot be read or written. */
export class AdminFileUnusable extends MillraceError {
  readonly code = 'ERR_ADMIN_FILE_UNUSABLE';
}

/** The client went away before its request was whole: there is nobody to be answered. */
export class RequestAborted extends MillraceError {
  readonly code = 'ERR_REQUEST_ABORTED';
}
