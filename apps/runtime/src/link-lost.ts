/**
 * How a worker ends itself that has lost its pool or one of its gateways. Nothing else sends it, so that its pool can tell this from what
 * somebody does to it from outside. A signal, since a lost thread keeps process.exit from ending.
 */
export const LINK_LOST = 'SIGUSR2'
