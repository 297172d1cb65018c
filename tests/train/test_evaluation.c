/* test_evaluation.c -- what is noted of predictions made by hand: confusions, the most confident
 * mistakes in their order, answers. */
#include <criterion/criterion.h>

#include "net.h"
#include "run_internal.h"

static tr_model *model_of(tr_config **config, const char *layer, const char *loss)
{
    char body[512];
    tr_error err = {0};
    tr_model *model = NULL;
    snprintf(body, sizeof body,
             "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\n"
             "%s[compile]\noptimizer = adam\nloss = %s\n",
             layer, loss);
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, *config, &err), TR_OK);
    cr_assert_eq(tr_config_check(*config, &err), TR_OK, "%s", err.text);
    return model;
}

Test(evaluation, mistakes_are_ordered_by_confidence)
{
    tr_error err = {0};
    tr_config *config;
    tr_evaluation out;
    enum { N = 60 };
    static float predictions[N][3];
    static int32_t y[N];
    tr_model *model =
        model_of(&config, "units = 3\nactivation = softmax\n", "sparse_categorical_crossentropy");
    for (int i = 0; i < N; i++) { /* 0.51 to 0.70, thrice each; every fifth is right */
        const float p = 0.51f + 0.01f * (float)(i * 7 % 20);
        predictions[i][i % 3] = p;
        predictions[i][(i + 1) % 3] = 1.0f - p;
        y[i] = i % 5 == 0 ? i % 3 : (i + 1) % 3;
    }
    const tr_samples samples = {.n = N, .y = y};
    cr_assert_eq(tr_evaluation_begin(&out, model, &err), TR_OK);
    tr_evaluation_note(&out, model, &samples, 0, 40, predictions[0]);
    tr_evaluation_note(&out, model, &samples, 40, N - 40, predictions[40]);
    cr_assert_eq(out.n_wrong, 48);
    int64_t right = 0;
    for (int c = 0; c < 3; c++)
        right += out.confusion.counts[c * 3 + c];
    cr_assert_eq(right, 12);
    for (int k = 0; k < TR_MISTAKES; k++) {
        const tr_mistake *at = &out.mistakes[k], *before = &out.mistakes[k > 0 ? k - 1 : 0];
        cr_expect_eq(at->is, y[at->sample]);
        cr_expect_eq(at->said, at->sample % 3);
        cr_expect_eq(at->confidence, (double)predictions[at->sample][at->said]);
        cr_expect(k == 0 || before->confidence > at->confidence ||
                  (before->confidence == at->confidence && before->sample < at->sample));
    }
    /* 7 i mod 20 is 19. */
    cr_expect_eq(out.mistakes[0].sample, 17);
    cr_expect_eq(out.mistakes[1].sample, 37);
    cr_expect_eq(out.mistakes[2].sample, 57);
    tr_evaluation_release(&out);
    tr_model_free(model);
    tr_config_free(config);
}

Test(evaluation, of_one_output_the_confidence_is_in_the_class_that_is_said)
{
    tr_error err = {0};
    tr_config *config;
    tr_evaluation out;
    static const float predictions[4] = {0.25f, 0.875f, 0.5f, 1.0f};
    static const float y[4] = {1, 0, 0, 1};
    tr_model *model = model_of(&config, "units = 1\nactivation = sigmoid\n", "binary_crossentropy");
    const tr_samples samples = {.n = 4, .values = y, .width = 1};
    cr_assert_eq(tr_evaluation_begin(&out, model, &err), TR_OK);
    cr_assert_eq(out.confusion.n_classes, 2);
    tr_evaluation_note(&out, model, &samples, 0, 4, predictions);
    cr_assert_eq(out.n_wrong, 2);
    cr_expect(out.mistakes[0].sample == 1 && out.mistakes[0].confidence == 0.875);
    cr_expect(out.mistakes[1].sample == 0 && out.mistakes[1].confidence == 0.75);
    cr_expect_eq(out.mistakes[1].said, 0);
    tr_evaluation_release(&out);
    tr_model_free(model);
    tr_config_free(config);
}

Test(evaluation, several_answers_are_counted_each)
{
    tr_error err = {0};
    tr_config *config;
    tr_evaluation out;
    static const float predictions[3][2] = {{0.9f, 0.1f}, {0.6f, 0.4f}, {0.5f, 0.2f}};
    static const float values[3][2] = {{1, 0}, {0, 1}, {1, 0}};
    tr_model *model = model_of(&config, "units = 2\nactivation = sigmoid\n", "binary_crossentropy");
    const tr_samples samples = {.n = 3, .values = values[0], .width = 2};
    cr_assert_eq(tr_evaluation_begin(&out, model, &err), TR_OK);
    cr_assert_eq(out.confusion.n_classes, 0);
    cr_assert_eq(out.n_answers, 2);
    tr_evaluation_note(&out, model, &samples, 0, 3, predictions[0]);
    cr_expect(out.answers[0].right == 1 && out.answers[0].wrong == 1 && out.answers[0].missed == 1);
    cr_expect(out.answers[1].right == 0 && out.answers[1].wrong == 0 && out.answers[1].missed == 1);
    tr_evaluation_release(&out);
    tr_model_free(model);
    tr_config_free(config);
}
