/** The choices that an experiment names. Alone in a file, so that describing the stage loads nothing else. */

/** How bets of one wallet count. */
export const weightings = ['equal', 'shares'] as const;
export type Weighting = (typeof weightings)[number];

/** What may shift the chance of a bet beside its price. */
export const groupings = ['role', 'category', 'timeToClose'] as const;
export type Grouping = (typeof groupings)[number];

export const corrections = ['benjamini-hochberg', 'benjamini-yekutieli'] as const;
export type Correction = (typeof corrections)[number];
