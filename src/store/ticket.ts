/**
 * A ticket names the group commit that holds a durable change. Whoever answers a client waits until the journal has
 * settled the ticket of what the answer promises. Tickets grow; a later one settled means every earlier one is.
 */
export type Ticket = number;

/** Nothing durable was touched: answer at once. */
export const NO_TICKET: Ticket = 0;
