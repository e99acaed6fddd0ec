/**
 * What main asks of the generator process and what comes back: one Job in, one Outcome out, over the IPC channel.
 * All of it is plain data; each kind of job stands beside what runs it. The generator also reads the broker's usage, because only it knows
 * the exact window.
 */
import type { DrainJob, DrainResult } from './drain-job.js';
import type { EmptyJob, EmptyResult } from './empty-job.js';
import type { IdleJob, IdleResult } from './idle-job.js';
import type { LatencyJob, LatencyResult } from './latency-job.js';
import type { LoadJob, LoadResult } from './load-job.js';
import type { LoginStormJob, LoginStormResult } from './login-storm-job.js';
import type { LookUpJob, LookUpResult } from './look-up-job.js';
import type { PacedJob, PacedResult } from './paced-job.js';
import type { PushJob, PushResult } from './push-job.js';
import type { QueueJob, QueueResult } from './queue-job.js';
import type { RetainJob, RetainResult } from './retain-job.js';
import type { CheckSessionsJob, CheckSessionsResult, StoreSessionsJob, StoreSessionsResult } from './session-job.js';
import type { SqsJob, SqsResult } from './sqs-job.js';
import type { StormJob, StormResult } from './storm-job.js';
import type { SubscribeJob, SubscribeResult } from './subscribe-job.js';
import type { TakeJob, TakeResult } from './take-job.js';
import type { WorkJob, WorkResult } from './work-job.js';
import type { WorkLatencyJob, WorkLatencyResult } from './work-latency-job.js';

export type Job =
  | StormJob
  | LoginStormJob
  | PacedJob
  | RetainJob
  | LookUpJob
  | SubscribeJob
  | SqsJob
  | EmptyJob
  | WorkJob
  | PushJob
  | WorkLatencyJob
  | TakeJob
  | LoadJob
  | IdleJob
  | QueueJob
  | DrainJob
  | LatencyJob
  | StoreSessionsJob
  | CheckSessionsJob;

export type Result =
  | StormResult
  | LoginStormResult
  | PacedResult
  | RetainResult
  | LookUpResult
  | SubscribeResult
  | SqsResult
  | EmptyResult
  | WorkResult
  | PushResult
  | WorkLatencyResult
  | TakeResult
  | LoadResult
  | IdleResult
  | QueueResult
  | DrainResult
  | LatencyResult
  | StoreSessionsResult
  | CheckSessionsResult;

export type Outcome = Result | { readonly kind: 'failed'; readonly reason: string };
