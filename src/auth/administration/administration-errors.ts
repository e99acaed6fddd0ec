/** What keeps users and roles from being changed. Nothing has been changed then; messages are for people, and hold no secret. */
import { MillraceError } from '../../core/errors.js';

/** The configuration names no file in which it could be changed; the message says which setting would. */
export class NotAdministered extends MillraceError {
  readonly code = 'ERR_NOT_ADMINISTERED';
}

/** The file cannot be read, or has something wrong in it already: whoever wrote that has to put it right first. */
export class FileUnusable extends MillraceError {
  readonly code = 'ERR_FILE_UNUSABLE';
}

/** The file cannot be replaced. */
export class FileNotWritten extends MillraceError {
  readonly code = 'ERR_FILE_NOT_WRITTEN';
  /** It will not be otherwise by itself: a file system that is mounted to be read, a missing right. */
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isLasting = isLasting;
  }
}

/** More changes wait for their turn than there should. */
export class TooManyChanges extends MillraceError {
  readonly code = 'ERR_TOO_MANY_CHANGES';
}

/** The name cannot be one of a user or a role where it would have to stand. */
export class InvalidName extends MillraceError {
  readonly code = 'ERR_INVALID_NAME';
}

/** The password cannot be one. */
export class InvalidPassword extends MillraceError {
  readonly code = 'ERR_INVALID_PASSWORD';
}

/** The rules of a role make no sense; the message says where and why, as for the file. */
export class InvalidRole extends MillraceError {
  readonly code = 'ERR_INVALID_ROLE';
}

export class UserNotFound extends MillraceError {
  readonly code = 'ERR_USER_NOT_FOUND';
}

export class RoleNotFound extends MillraceError {
  readonly code = 'ERR_ROLE_NOT_FOUND';
}

/** Somebody still has the role. */
export class RoleInUse extends MillraceError {
  readonly code = 'ERR_ROLE_IN_USE';
}
