/** A key of the ledger, and its order (nulls last). `token` tells apart what has no outcomeIndex. Loads nothing. */
export const ledgerOrder = ['wallet', 'market', 'outcomeIndex', 'token'] as const;
