/**
 * The errors of the SQS protocol. Current SDKs take the class of an exception from `shape`, older ones and much of their users' code look
 * at `queryCode`: an answer carries both.
 */
import { MillraceError } from '../../core/errors.js';

const SQS = 'com.amazonaws.sqs';
const SERVICE = 'com.amazon.coral.service';
const OLD = 'AWS.SimpleQueueService';

interface Kind {
  readonly namespace: string;
  readonly queryCode: string;
  readonly status: number;
}

function kind(namespace: string, queryCode: string, status = 400): Kind {
  return { namespace, queryCode, status };
}

/** By the name of the shape. */
const KINDS = {
  QueueDoesNotExist: kind(SQS, `${OLD}.NonExistentQueue`),
  QueueNameExists: kind(SQS, 'QueueAlreadyExists'),
  EmptyBatchRequest: kind(SQS, `${OLD}.EmptyBatchRequest`),
  TooManyEntriesInBatchRequest: kind(SQS, `${OLD}.TooManyEntriesInBatchRequest`),
  BatchEntryIdsNotDistinct: kind(SQS, `${OLD}.BatchEntryIdsNotDistinct`),
  BatchRequestTooLong: kind(SQS, `${OLD}.BatchRequestTooLong`),
  InvalidBatchEntryId: kind(SQS, `${OLD}.InvalidBatchEntryId`),
  UnsupportedOperation: kind(SQS, `${OLD}.UnsupportedOperation`),
  InvalidAttributeName: kind(SQS, 'InvalidAttributeName'),
  InvalidAttributeValue: kind(SQS, 'InvalidAttributeValue'),
  InvalidMessageContents: kind(SQS, 'InvalidMessageContents'),
  ReceiptHandleIsInvalid: kind(SQS, 'ReceiptHandleIsInvalid'),
  OverLimit: kind(SQS, 'OverLimit'),
  RequestThrottled: kind(SQS, 'RequestThrottled'),
  ResourceNotFoundException: kind(SQS, 'ResourceNotFoundException', 404),
  InvalidParameterValueException: kind(SERVICE, 'InvalidParameterValue'),
  MissingRequiredParameterException: kind(SERVICE, 'MissingParameter'),
  UnknownOperationException: kind(SERVICE, 'InvalidAction'),
  SerializationException: kind(SERVICE, 'MalformedInput'),
  AccessDeniedException: kind(SERVICE, 'AccessDenied', 403),
  MissingAuthenticationTokenException: kind(SERVICE, 'MissingAuthenticationToken', 403),
  IncompleteSignatureException: kind(SERVICE, 'IncompleteSignature', 403),
  InvalidSignatureException: kind(SERVICE, 'SignatureDoesNotMatch', 403),
  UnrecognizedClientException: kind(SERVICE, 'InvalidClientTokenId', 403),
  RequestTimeout: kind(SERVICE, 'RequestTimeout', 408),
  InternalFailure: kind(SERVICE, 'InternalFailure', 500),
  ServiceUnavailable: kind(SERVICE, 'ServiceUnavailable', 503),
} as const;

export type SqsErrorName = keyof typeof KINDS;

export class SqsError extends MillraceError {
  readonly code = 'ERR_SQS';
  readonly shape: SqsErrorName;

  constructor(shape: SqsErrorName, message: string) {
    super(message);
    this.shape = shape;
  }

  /** As current SDKs want it. */
  get type(): string {
    return `${KINDS[this.shape].namespace}#${this.shape}`;
  }

  /** As older SDKs have it, and as results of batches name it. */
  get queryCode(): string {
    return KINDS[this.shape].queryCode;
  }

  get status(): number {
    return KINDS[this.shape].status;
  }

  /** Whether the sender has to change something. */
  get isSendersFault(): boolean {
    return this.status < 500;
  }
}

export function missingParameter(name: string): SqsError {
  return new SqsError('MissingRequiredParameterException', `The request must contain the parameter ${name}.`);
}

/** @param value as it was given @param reason a sentence */
export function invalidParameter(name: string, value: unknown, reason: string): SqsError {
  const text = String(value);
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new SqsError(
    'InvalidParameterValueException',
    `Value ${shown} for parameter ${name} is invalid. Reason: ${reason}`,
  );
}

export function queueDoesNotExist(): SqsError {
  return new SqsError('QueueDoesNotExist', 'The specified queue does not exist for this wsdl version.');
}
