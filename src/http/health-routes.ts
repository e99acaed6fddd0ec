/**
 * Whether the broker lives, and whether it should be sent clients. For who watches over it: answered without a token, and from the
 * first moment on, also while much is being recovered.
 */
import { z } from 'zod';
import { type Route, route } from './route.js';

/** What keeps the broker from being ready. */
export const UNREADY_REASONS = ['starting', 'stopping', 'storage-failing'] as const;
export type UnreadyReason = (typeof UNREADY_REASONS)[number];

const liveness = z.object({ status: z.literal('alive') });
const readiness = z.object({
  status: z.enum(['ready', 'not-ready']),
  reasons: z.array(z.enum(UNREADY_REASONS)),
});

/** @param unreadyReasons none if clients can be served, and what they are promised can be kept */
export function healthRoutes(unreadyReasons: () => readonly UnreadyReason[]): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/health/live',
      summary: 'Whether the process answers',
      isOpen: true,
      answers: { 200: liveness },
      handle: () => ({ status: 200, body: { status: 'alive' } }),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      summary: 'Whether clients can be served: recovered, listening, able to store, and not stopping',
      isOpen: true,
      answers: { 200: readiness, 503: readiness },
      handle: () => {
        const reasons = unreadyReasons();
        const isReady = reasons.length === 0;
        return { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'not-ready', reasons } };
      },
    }),
  ];
}
