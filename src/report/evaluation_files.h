/* evaluation_files.h -- what evaluate() found, for programs.
 *
 * evaluation.json, one object:
 *
 *     trainer      the version
 *     parameters   digest of the weights that were measured
 *     data         {file, x, y}: where the samples are from
 *     samples      their number
 *     loss         {name, value}
 *     metrics      {NAME: {value}}; a share of right answers also has standard_error,
 *                  sqrt(p (1 - p) / n), and wilson_95, the ends of Wilson's interval
 *     classes      [{class, name, precision, recall, f1, support, predicted}], name where it has
 *                  one; null where nothing can be divided
 *     answers      the same of a network that answers several questions, answer for class
 *     averages     {macro, weighted}: {precision, recall, f1} over them
 *     confusion    [true class][predicted class] samples
 *     wrong        samples that were taken for another class
 *     mistakes     [{sample, class, predicted, confidence}], the most confident first: numbers in
 *                  `x`, with class_name and predicted_name; confidence: the probability of the
 *                  predicted class, or its output where outputs are no probabilities
 *
 * What a network does not have (classes, answers) is left out. confusion.csv is the matrix alone, a
 * row for each true class, with names where classes have them.
 */
#ifndef TR_EVALUATION_FILES_H
#define TR_EVALUATION_FILES_H

#include <stdio.h>

#include "trainer/fit.h"

tr_status tr_evaluation_print_json(FILE *out, const tr_model *model,
                                   const tr_evaluation *evaluation, tr_error *err);

void tr_confusion_print_csv(FILE *out, const tr_confusion *confusion, const tr_legend *legend);

/* Both in a folder, each whole or not at all; confusion.csv where there is a confusion. */
tr_status tr_evaluation_write_files(const char *folder, const tr_model *model,
                                    const tr_evaluation *evaluation, tr_error *err);

#endif
