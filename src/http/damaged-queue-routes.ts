/** `/api/v1/damaged-queues`: what can be done about queues whose definition cannot be read. They are listed with the others. */
import type { Logger } from 'pino';
import type { QueueAdministration } from './queue-administration.js';
import { giveUpAnswer } from './queue-answers.js';
import { type Route, route } from './route.js';

export function damagedQueueRoutes(queues: () => QueueAdministration, logger: Logger): readonly Route[] {
  return [
    route({
      method: 'DELETE',
      path: '/api/v1/damaged-queues/{number}',
      summary: 'Give up a queue whose definition cannot be read, with its messages and its history',
      answers: { 200: giveUpAnswer },
      handle: async ({ parameter }) => {
        const answer = await queues().giveUpDamaged(parameter('number'));
        logger.info(answer, 'a damaged queue was given up');
        return { status: 200, body: answer };
      },
    }),
  ];
}
