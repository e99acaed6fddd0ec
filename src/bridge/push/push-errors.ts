/** Errors of requests to webhooks: each has a stable code, under which it is counted. */
import { MillraceError } from '../../core/errors.js';

/** The host of a target leads to addresses alone that requests may not go to. */
export class ForbiddenAddress extends MillraceError {
  readonly code = 'ERR_PUSH_FORBIDDEN_ADDRESS';
}
