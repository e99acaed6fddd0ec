/** How queues are named from outside: by URL, by ARN, or just by name. */
import { invalidParameter } from './sqs-error.js';

const ARN = /^arn:[^:]*:sqs:[^:]*:[^:]*:([^:/]+)$/;

/** The last part of a queue's URL, or the name itself. Which host it names does not matter: the request is here. */
export function queueNameOfUrl(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return path.slice(path.lastIndexOf('/') + 1);
}

/** @param parameter that the ARN was given for @throws SqsError */
export function queueNameOfArn(arn: string, parameter: string): string {
  const name = ARN.exec(arn)?.[1];
  if (name === undefined) throw invalidParameter(parameter, arn, 'It is not the ARN of a queue.');
  return name;
}
