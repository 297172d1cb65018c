# sweep.gnuplot -- the picture of sweep.sh: images/s over micro_batch, a line per combination.
# Variables: points (file of titled blocks), blocks (their number), picture (SVG to write), heading.
set terminal svg size 960, 600 noenhanced background "white"
set output picture
set title heading
set xlabel "micro_batch (images)"
set ylabel "images/s (median)"
set logscale x 2
set yrange [0:*]
set format y "%.0f"
set grid
set key outside below maxcols 2
plot for [i = 0 : blocks - 1] points index i using 1:2 \
    with linespoints linewidth 2 title columnheader(1)
