/** How the retained messages of the benchmark are named, and what is asked for. */
import type { RetainedQuestion } from './look-up-job.js';

/** Topics that differ in their last level only. */
export const TOPICS_OF_A_LEVEL = 1000;

/** A step that meets every topic before it meets one again, in an order that no cache likes. */
const STEP = 7919;

export function retainedTopic(message: number): string {
  return `retained/${Math.floor(message / TOPICS_OF_A_LEVEL)}/${message % TOPICS_OF_A_LEVEL}`;
}

export interface Question {
  readonly filter: string;
  /** Retained messages that match it. */
  readonly answers: number;
}

/**
 * @param number of the question
 * @param messages how many there are
 */
export function questionOf(asks: RetainedQuestion, number: number, messages: number): Question {
  switch (asks) {
    case 'exact':
      return { filter: retainedTopic((number * STEP) % messages), answers: 1 };
    case 'absent':
      return { filter: `retained/${number % Math.ceil(messages / TOPICS_OF_A_LEVEL)}/absent-${number}`, answers: 0 };
    case 'level': {
      const level = (number * STEP) % Math.ceil(messages / TOPICS_OF_A_LEVEL);
      const answers = Math.min(TOPICS_OF_A_LEVEL, messages - level * TOPICS_OF_A_LEVEL);
      return { filter: `retained/${level}/+`, answers };
    }
    case 'everything':
      return { filter: 'retained/#', answers: messages };
  }
}
